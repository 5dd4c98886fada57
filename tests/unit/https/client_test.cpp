// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "agent/https/find_host.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/tls_server.hpp"

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using https::client;
using tests::ok;

namespace {

struct pair_of_them {
  tests::authority ca;
  tests::certificate_files servers = ca.issue("DNS:b1.example.net");
  tests::certificate_files clients = ca.issue("DNS:e17.ns.lb.example.com");
  asio::io_context io;
  tests::tls_server other{io, https::server_context({ca.ca(), servers.certificate, servers.key}).value()};
  https::client_settings settings{{"127.0.0.1", other.acceptor.local_endpoint().port(), "b1.example.net",
                                   https::client_context({ca.ca(), clients.certificate, clients.key}).value()},
                                  10s,
                                  10s};

  result<https::response> post(client& from, const std::string& target = "/v1/renew", const std::string& body = "{}",
                               const https::headers& fields = {}) {
    std::optional<result<https::response>> said;
    auto on_end = [&](const std::exception_ptr& thrown, result<https::response> got) {
      if (thrown) std::rethrow_exception(thrown);
      said = std::move(got);
      io.stop();
    };
    asio::co_spawn(io, from.request(target, body, fields), std::move(on_end));
    io.restart();
    io.run_for(30s);
    REQUIRE(said.has_value());
    return std::move(*said);
  }
  void rest(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }
};

}  // namespace

TEST_CASE("a request goes out with its body and fields, and the answer comes back", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.answers = {ok(R"({"lifetime":300})")};
  const auto said = both.post(from, "/v1/register", R"({"edge":"e17"})", {{"Content-Encoding", "deflate"}});
  if (!said) FAIL(said.error().message);
  CHECK(said->status == 200);
  CHECK(said->content_type == "application/json");
  CHECK(said->body == R"({"lifetime":300})");
  REQUIRE(both.other.requests.size() == 1);
  const std::string& request = both.other.requests[0];
  CHECK_THAT(request, Catch::Matchers::StartsWith("POST /v1/register HTTP/1.1\r\n"));
  CHECK_THAT(request, Contains("Host: b1.example.net:" + std::to_string(both.settings.server.port) + "\r\n"));
  CHECK_THAT(request, Contains("Content-Type: application/json\r\n"));
  CHECK_THAT(request, Contains("Content-Encoding: deflate\r\n"));
  CHECK_THAT(request, EndsWith("\r\n\r\n{\"edge\":\"e17\"}"));
}

TEST_CASE("an answer of any status is an answer", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.answers = {"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}"};
  const auto said = both.post(from);
  REQUIRE(said.has_value());
  CHECK(said->status == 409);
}

TEST_CASE("requests share one connection", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  for (int i = 0; i < 3; ++i) CHECK(both.post(from).has_value());
  CHECK(both.other.connections == 1);
  CHECK(from.connected());
  from.close();
  CHECK(!from.connected());
  CHECK(both.post(from).has_value());
  CHECK(both.other.connections == 2);
}

TEST_CASE("a connection that the server has closed while it was idle is opened anew", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.idle_close = 5ms;
  CHECK(both.post(from).has_value());
  both.rest(50ms);
  CHECK(both.post(from).has_value());
  CHECK(both.other.connections == 2);
  CHECK(both.other.requests.size() == 2);
}

TEST_CASE("a request that meets the end of a kept connection is sent once more", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.answers = {ok("{}"), "", ok("[]")};
  CHECK(both.post(from).has_value());
  const auto said = both.post(from);
  REQUIRE(said.has_value());
  CHECK(said->body == "[]");
  CHECK(both.other.connections == 2);
}

TEST_CASE("a server that closes a new connection without an answer has failed", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.answers = {""};
  const auto said = both.post(from);
  REQUIRE(said.has_error());
  CHECK_THAT(said.error().message, EndsWith(": closed by the other side"));
  CHECK(both.other.connections == 1);
}

TEST_CASE("a server that says close is believed", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.answers = {ok("{}", "Connection: close\r\n")};
  CHECK(both.post(from).has_value());
  CHECK(!from.connected());
}

TEST_CASE("what does not come in time is given up, and the connection with it", "[https][client]") {
  pair_of_them both;
  both.settings.timeout = 50ms;
  both.other.pause = 15s;
  client from(both.settings);
  const auto said = both.post(from);
  REQUIRE(said.has_error());
  CHECK(said.error().kind == errc::failing);
  CHECK_THAT(said.error().message, EndsWith(": timeout"));
  CHECK(!from.connected());
}

TEST_CASE("an answer that is too large is not taken", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  SECTION("and its length says so") { both.other.answers = {ok(std::string(65537, 'x'))}; }
  SECTION("and it comes in chunks") {
    both.other.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, 'x') +
                          "\r\n0\r\n\r\n"};
  }
  const auto said = both.post(from);
  REQUIRE(said.has_error());
  CHECK(said.error().kind == errc::exhausted);
  CHECK(!from.connected());
}

TEST_CASE("what is no HTTP is an error", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.answers = {"220 mail.example.net ESMTP\r\n\r\n"};
  CHECK(!both.post(from).has_value());
}

TEST_CASE("a server must have the right name, of the right CA, in its time", "[https][client]") {
  pair_of_them both;
  std::string expected;
  SECTION("another name") {
    both.settings.server.server_name = "b2.example.net";
    expected = "tls: certificate is for another name";
  }
  SECTION("the address is no name of it") {
    both.settings.server.server_name.clear();
    expected = "tls: certificate is for another name";
  }
  SECTION("another CA") {
    const tests::authority other;
    both.settings.server.tls = https::client_context({other.ca(), {}, {}}).value();
    expected = "tls: certificate is of an unknown issuer";
  }
  client from(both.settings);
  const auto said = both.post(from);
  REQUIRE(said.has_error());
  CHECK_THAT(said.error().message, EndsWith(expected));
}

TEST_CASE("a client without a certificate is told so", "[https][client]") {
  pair_of_them both;
  both.settings.server.tls = https::client_context({both.ca.ca(), {}, {}}).value();
  client from(both.settings);
  const auto said = both.post(from);
  REQUIRE(said.has_error());
  // RFC 8446 4.4.2.4: the server says it after our side of the handshake is over; it may close before we read it.
  CHECK_THAT(said.error().message, Contains("certificate required") || Contains("closed by the other side"));
}

TEST_CASE("a port where nobody listens is told", "[https][client]") {
  pair_of_them both;
  tcp::acceptor reserved(both.io, {asio::ip::address_v4::loopback(), 0});
  both.settings.server.port = reserved.local_endpoint().port();
  reserved.close();
  client from(both.settings);
  const auto said = both.post(from);
  REQUIRE(said.has_error());
  CHECK(said.error().message ==
        "127.0.0.1:" + std::to_string(both.settings.server.port) + ": connect: Connection refused");
}

TEST_CASE("a second request at the same time is refused", "[https][client]") {
  pair_of_them both;
  client from(both.settings);
  both.other.pause = 50ms;
  std::optional<result<https::response>> second;
  auto spawned = [&](const std::exception_ptr&, result<https::response> got) { second = std::move(got); };
  auto later = [&]() { asio::co_spawn(both.io, from.request("/v1/renew", "{}"), spawned); };
  asio::post(both.io, later);
  asio::post(both.io, later);
  CHECK(both.post(from).has_error());  // one of the two went first
  REQUIRE(second.has_value());
}

TEST_CASE("a request is given up by close(), whatever it waits for", "[https][client]") {
  pair_of_them both;
  // The handshake is never answered: nobody accepts.
  tcp::acceptor silent(both.io, {asio::ip::address_v4::loopback(), 0});
  SECTION("the handshake") { both.settings.server.port = silent.local_endpoint().port(); }
  SECTION("the answer") { both.other.pause = 15s; }
  client from(both.settings);
  asio::steady_timer timer(both.io, 50ms);
  timer.async_wait([&from](const boost::system::error_code&) { from.close(); });
  const auto started = std::chrono::steady_clock::now();
  CHECK(both.post(from).has_error());
  CHECK(std::chrono::steady_clock::now() - started < 4s);
  CHECK(!from.connected());
}

TEST_CASE("addresses are their own host, and localhost is found", "[https][client]") {
  asio::io_context io;
  std::vector<result<std::vector<asio::ip::address>>> found;
  auto on_end = [&](const std::exception_ptr&, result<std::vector<asio::ip::address>> got) {
    found.push_back(std::move(got));
  };
  for (const char* host : {"2001:db8::1", "localhost"}) {
    asio::co_spawn(io, https::find_host(host, 2s), on_end);
    io.restart();
    io.run_for(5s);
  }
  REQUIRE(found.size() == 2);
  CHECK(found[0].value() == std::vector{asio::ip::make_address("2001:db8::1")});
  CHECK(found[1].value().front().is_loopback());
}
