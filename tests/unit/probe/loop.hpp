// SPDX-License-Identifier: BSD-2-Clause
// For the tests of checks: an event loop, a server on loopback that follows a script, and a check run to its end.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "agent/probe/run_check.hpp"

namespace nearside::probe {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using tcp = asio::ip::tcp;

struct loop {
  asio::io_context context;
  echo_sockets echoes{context.get_executor()};

  result<score::sample> run(const prepared_check& check, const config::probe_target& target) {
    std::optional<result<score::sample>> found;
    auto on_end = [this, &found](const std::exception_ptr& thrown, result<score::sample> sample) {
      if (thrown) std::rethrow_exception(thrown);
      found = std::move(sample);
      context.stop();
    };
    asio::co_spawn(context, run_check(context.get_executor(), check, target, "server1", echoes), std::move(on_end));
    context.restart();
    context.run_for(20s);
    REQUIRE(found.has_value());
    return std::move(*found);
  }

  result<score::sample> run(const config::check& check, std::uint16_t port, const char* address = "127.0.0.1") {
    const auto prepared = prepared_check::make(check);
    if (!prepared) FAIL(prepared.error().message);
    return run(*prepared, {0, asio::ip::make_address(address), port});
  }
};

/// Accepts on 127.0.0.1 for ever; each connection's request is read to its empty line, then the parts are written with
/// a pause before each, and the connection is closed.
class scripted_server {
 public:
  scripted_server(asio::io_context& context, std::vector<std::string> parts,
                  std::chrono::milliseconds pause = std::chrono::milliseconds(0))
      : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        parts_(std::move(parts)),
        pause_(pause) {
    asio::co_spawn(context, accept(), asio::detached);
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] const std::string& request() const { return request_; }

 private:
  static constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

  asio::awaitable<void> accept() {
    for (;;) {
      auto [failed, socket] = co_await acceptor_.async_accept(as_result);
      if (failed) co_return;
      ++connections_;
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    }
  }
  asio::awaitable<void> serve(tcp::socket socket) {
    std::string request;
    auto read = asio::dynamic_buffer(request);
    co_await asio::async_read_until(socket, read, "\r\n\r\n", as_result);
    request_ = request;
    asio::steady_timer timer(acceptor_.get_executor());
    for (const std::string& part : parts_) {
      timer.expires_after(pause_);
      co_await timer.async_wait(as_result);
      co_await asio::async_write(socket, asio::buffer(part), as_result);
    }
  }

  tcp::acceptor acceptor_;
  std::vector<std::string> parts_;
  std::chrono::milliseconds pause_;
  std::string request_;
  int connections_ = 0;
};

inline config::check check_of(config::check_type type, std::chrono::milliseconds timeout = 2s) {
  config::check check;
  check.name = "test";
  check.type = type;
  check.timeout = timeout;
  return check;
}

}  // namespace nearside::probe
