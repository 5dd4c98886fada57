// SPDX-License-Identifier: BSD-2-Clause
// The client against a server of others: nginx with TLS 1.3, which wants certificates of its clients.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <thread>

#include "agent/https/client.hpp"
#include "tests/support/certificates.hpp"

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ip::tcp;
using https::client;

namespace {

const char* const nginx_path = "/usr/sbin/nginx";

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class nginx {
 public:
  explicit nginx(const tests::authority& ca) : directory_(ca.directory()) {
    const auto files = ca.issue("DNS:b1.example.net");
    asio::io_context io;
    {
      const tcp::acceptor free(io, {asio::ip::address_v4::loopback(), 0});
      port_ = free.local_endpoint().port();
    }
    std::ofstream(directory_ / "nginx.conf")
        << "daemon off; master_process off; pid nginx.pid; error_log error.log; events {}\n"
           "http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path "
           "u;\n"
           "scgi_temp_path s; keepalive_timeout 1s; default_type application/json; server {\n"
           "listen 127.0.0.1:"
        << port_ << " ssl; ssl_protocols TLSv1.3; ssl_certificate " << files.certificate.string()
        << "; ssl_certificate_key " << files.key.string() << "; ssl_client_certificate " << ca.ca().string()
        << "; ssl_verify_client on; client_max_body_size 1k;\n"
           "location /v1/register { return 200 '{\"connection\":$connection}'; }\n"
           "location /large { set $x '"
        << std::string(1000, 'x') << "'; return 200 '" << repeated("$x", 100) << "'; } } }\n";
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      const std::string prefix = directory_.string();
      const std::string configuration = (directory_ / "nginx.conf").string();
      ::execl(nginx_path, "nginx", "-p", prefix.c_str(), "-c", configuration.c_str(), "-e", "error.log", nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 200; ++i) {
      boost::system::error_code failed;
      tcp::socket socket(io);
      socket.connect({asio::ip::address_v4::loopback(), port_}, failed);
      if (!failed) return;
      std::this_thread::sleep_for(20ms);
    }
  }
  ~nginx() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  nginx(const nginx&) = delete;
  nginx& operator=(const nginx&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  fs::path directory_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

result<https::response> post(asio::io_context& io, client& from, const std::string& target, const std::string& body) {
  std::optional<result<https::response>> said;
  auto on_end = [&](const std::exception_ptr& thrown, result<https::response> got) {
    if (thrown) std::rethrow_exception(thrown);
    said = std::move(got);
  };
  asio::co_spawn(io, from.request(target, body), std::move(on_end));
  io.restart();
  io.run_for(50s);
  REQUIRE(said.has_value());
  return std::move(*said);
}

}  // namespace

TEST_CASE("the client and nginx understand each other", "[https][client]") {
  if (!fs::exists(nginx_path)) {
    WARN("SKIPPED: there is no nginx");
    return;
  }
  const tests::authority ca;
  const nginx server(ca);
  const auto mine = ca.issue("DNS:e17.ns.lb.example.com");
  https::client_settings settings{{"127.0.0.1", server.port(), "b1.example.net",
                                   https::client_context({ca.ca(), mine.certificate, mine.key}).value()},
                                  20s,
                                  20s};
  asio::io_context io;
  client from(settings);
  const auto first = post(io, from, "/v1/register", "{}");
  if (!first) FAIL(first.error().message);
  CHECK(first->status == 200);

  SECTION("a second request goes over the same connection") {
    CHECK(post(io, from, "/v1/register", "{}")->body == first->body);
  }
  SECTION("a connection that nginx has closed after its time is opened anew") {
    std::this_thread::sleep_for(1500ms);
    const auto later = post(io, from, "/v1/register", "{}");
    REQUIRE(later.has_value());
    CHECK(later->status == 200);
    CHECK(later->body != first->body);
  }
  SECTION("a body that is too large for it is answered") {
    const auto refused = post(io, from, "/v1/register", std::string(5000, 'x'));
    REQUIRE(refused.has_value());
    CHECK(refused->status == 413);
  }
  SECTION("an answer that is too large for us is refused") {
    CHECK(post(io, from, "/large", "{}").error().kind == errc::exhausted);
  }
  SECTION("a certificate of another CA is not taken") {
    const tests::authority other;
    const auto theirs = other.issue("DNS:e17.ns.lb.example.com");
    settings.server.tls = https::client_context({ca.ca(), theirs.certificate, theirs.key}).value();
    client stranger(settings);
    const auto said = post(io, stranger, "/v1/register", "{}");
    // nginx lets the handshake pass and answers 400.
    CHECK((said.has_error() || said->status == 400));
  }
}
