// SPDX-License-Identifier: BSD-2-Clause
// Edges that register as fast as they are answered, to see what a backbone node can take. Each has a certificate of its
// own and a connection that it keeps (or, with --connect, one a message: by a whole handshake, or with --resume by a
// ticket). Prints "sight LABEL ADDRESS" for each egress and waits for a line of input before the load begins; then one
// JSON object. Started by tests/bench/registrations.py.
#include <openssl/ssl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <vector>

#include "agent/https/tls_context.hpp"
#include "agent/https/tls_stream.hpp"
#include "agent/mapping/messages.hpp"

namespace {

using namespace nearside;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using steady = std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct arguments {
  std::string directory;
  std::uint16_t port = 0;
  unsigned edges = 64;
  unsigned egresses = 2;
  unsigned seconds = 5;
  unsigned warm_up = 1;
  std::string message = "register";
  bool connect = false;
  bool resume = false;
};

struct totals {
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t resumed = 0;
  std::vector<float> milliseconds;
  bool counting = false;
  bool stop = false;
};

class edge {
 public:
  edge(asio::io_context& io, const arguments& given, unsigned number, totals& sum)
      : io_(io), given_(given), number_(number), sum_(sum) {
    const std::string base = given.directory + "/e" + std::to_string(number);
    tls_ = https::client_context({given.directory + "/ca.pem", base + ".pem", base + ".key"}).value();
    SSL_CTX_clear_options(tls_->native_handle(), SSL_OP_NO_TICKET);
    message_.edge = "e" + std::to_string(number) + ".ns.lb.example.com.";
    message_.sequence = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
    message_.addresses = {asio::ip::make_address("192.0.2.17"), asio::ip::make_address("2001:db8:17::53")};
  }
  ~edge() {
    if (session_ != nullptr) SSL_SESSION_free(session_);
  }
  edge(const edge&) = delete;
  edge& operator=(const edge&) = delete;

  /// Registers without egresses and prints the nonces that are to be sighted.
  asio::awaitable<bool> begin() {
    if (!co_await connect()) co_return false;
    const std::string said = co_await ask("/v1/register", true);
    const auto answer = mapping::parse_registered(said);
    if (!answer) co_return false;
    for (unsigned i = 0; i < given_.egresses; ++i) {
      mapping::egress_claim claim;
      claim.address = asio::ip::address_v4(0xc6336400U + number_ * given_.egresses + i);
      claim.nonce = mapping::label_of({answer->nonce_edge, i + 1}, answer->nonce_key);
      claim.rtt = std::chrono::microseconds(4200);
      message_.egresses.push_back(claim);
      std::cout << "sight " << claim.nonce << ' ' << claim.address.to_string() << '\n';
    }
    co_return true;
  }

  asio::awaitable<void> load() {
    const bool whole = given_.message == "register";
    const std::string target = "/v1/" + given_.message;
    while (!sum_.stop) {
      const auto begun = steady::now();
      if (given_.connect && !co_await connect()) {
        ++sum_.failed;
        asio::steady_timer pause(io_, std::chrono::milliseconds(20));
        co_await pause.async_wait(as_result);
        continue;
      }
      const std::string said = co_await ask(target, whole);
      if (said.empty()) {
        ++sum_.failed;
        if (!given_.connect) co_return;
        continue;
      }
      if (sum_.counting) {
        ++sum_.answered;
        sum_.milliseconds.push_back(std::chrono::duration<float, std::milli>(steady::now() - begun).count());
      }
    }
  }

 private:
  asio::awaitable<bool> connect() {
    stream_ = std::make_unique<https::tls_stream>(io_, *tls_);
    unread_.clear();
    const auto [unreached] =
        co_await stream_->next_layer().async_connect({asio::ip::address_v4::loopback(), given_.port}, as_result);
    if (unreached) co_return false;
    stream_->next_layer().set_option(tcp::no_delay(true));
    if (given_.resume && session_ != nullptr) SSL_set_session(stream_->native_handle(), session_);
    const auto [failed] = co_await stream_->async_handshake(https::tls_stream::client, as_result);
    if (!failed && sum_.counting && SSL_session_reused(stream_->native_handle()) == 1) ++sum_.resumed;
    co_return !failed;
  }

  asio::awaitable<std::string> ask(std::string target, bool whole) {
    ++message_.sequence;
    const std::string body = mapping::to_json(message_, whole);
    const std::string request = "POST " + target + " HTTP/1.1\r\nHost: b1\r\nContent-Type: application/json\r\n" +
                                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const auto [unsent, sent] = co_await asio::async_write(*stream_, asio::buffer(request), as_result);
    if (unsent) co_return "";
    http::response_parser<http::string_body> answer;
    const auto [failed, got] = co_await http::async_read(*stream_, unread_, answer, as_result);
    if (failed) co_return "";
    if (answer.get().result_int() != 200) ++sum_.refused;
    if (given_.resume) {
      if (session_ != nullptr) SSL_SESSION_free(session_);
      session_ = SSL_get1_session(stream_->native_handle());
      SSL_set_shutdown(stream_->native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    co_return std::move(answer.get().body());
  }

  asio::io_context& io_;
  const arguments& given_;
  unsigned number_;
  totals& sum_;
  https::tls_context tls_;
  std::unique_ptr<https::tls_stream> stream_;
  boost::beast::flat_buffer unread_;
  SSL_SESSION* session_ = nullptr;
  mapping::registration message_;
};

double at(std::vector<float>& times, double part) {
  if (times.empty()) return 0;
  const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + place, times.end());
  return static_cast<double>(times[static_cast<std::size_t>(place)]);
}

}  // namespace

int main(int count, char** words) {
  arguments given;
  CLI::App app("Registers without end", "nearside_bench_registrations");
  app.add_option("--directory", given.directory, "ca.pem, and eN.pem and eN.key of each edge")->required();
  app.add_option("--port", given.port)->required();
  app.add_option("--edges", given.edges);
  app.add_option("--egresses", given.egresses);
  app.add_option("--seconds", given.seconds);
  app.add_option("--warm-up", given.warm_up);
  app.add_option("--message", given.message, "register or renew");
  app.add_flag("--connect", given.connect, "A connection a message");
  app.add_flag("--resume", given.resume, "With tickets");
  CLI11_PARSE(app, count, words);

  asio::io_context io(1);
  totals sum;
  std::vector<std::unique_ptr<edge>> edges;
  for (unsigned i = 0; i < given.edges; ++i) edges.push_back(std::make_unique<edge>(io, given, i, sum));
  bool good = true;
  const auto begin = [&]() -> asio::awaitable<void> {
    for (auto& one : edges) {
      const bool begun = co_await one->begin();
      good = good && begun;
    }
  };
  const auto rethrow = [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(io, begin(), rethrow);
  io.run();
  if (!good) {
    std::cerr << "nearside_bench_registrations: an edge could not register\n";
    return 1;
  }
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);

  io.restart();
  for (auto& one : edges) asio::co_spawn(io, one->load(), rethrow);
  io.run_for(std::chrono::seconds(given.warm_up));
  std::cout << "begin" << std::endl;
  std::getline(std::cin, line);
  sum.counting = true;
  const auto begun = steady::now();
  io.run_for(std::chrono::seconds(given.seconds));
  const double took = std::chrono::duration<double>(steady::now() - begun).count();
  sum.counting = false;
  sum.stop = true;
  std::cout << boost::json::serialize(boost::json::object{{"seconds", took},
                                                          {"answered", sum.answered},
                                                          {"refused", sum.refused},
                                                          {"failed", sum.failed},
                                                          {"resumed", sum.resumed},
                                                          {"median_ms", at(sum.milliseconds, 0.5)},
                                                          {"p99_ms", at(sum.milliseconds, 0.99)}})
            << std::endl;
  return 0;
}
