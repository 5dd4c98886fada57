// SPDX-License-Identifier: BSD-2-Clause
// For tests of clients: a TLS server on loopback that says what it is told to say.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/https/tls_stream.hpp"

namespace nearside::tests {
namespace asio = boost::asio;
using asio::ip::tcp;

inline constexpr auto answered_as_result = asio::as_tuple(asio::use_awaitable);

inline std::string ok(const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Wants a certificate of clients; answers each request with the next of `answers` (the last over and over), after
/// `pause`. An empty answer: the connection is closed.
struct tls_server {
  tls_server(asio::io_context& io, https::tls_context context) : acceptor(io, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(io, accept(std::move(context)), asio::detached);
  }

  asio::awaitable<void> accept(https::tls_context context) {
    for (;;) {
      auto [failed, socket] = co_await acceptor.async_accept(answered_as_result);
      if (failed) co_return;
      ++connections;
      asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), context), asio::detached);
    }
  }
  asio::awaitable<void> serve(tcp::socket socket, https::tls_context context) {
    https::tls_stream stream(std::move(socket), *context);
    const auto [refused] = co_await stream.async_handshake(https::tls_stream::server, answered_as_result);
    if (refused) co_return;
    for (std::string read;;) {
      auto buffer = asio::dynamic_buffer(read);
      const auto [failed, header] = co_await asio::async_read_until(stream, buffer, "\r\n\r\n", answered_as_result);
      if (failed) co_return;
      const auto length = read.find("Content-Length: ");
      const std::size_t all = header + (length < header ? std::stoul(read.substr(length + 16)) : 0);
      if (read.size() < all) {
        const auto [broken, rest] =
            co_await asio::async_read(stream, buffer, asio::transfer_exactly(all - read.size()), answered_as_result);
        if (broken) co_return;
      }
      requests.push_back(read.substr(0, all));
      read.erase(0, all);
      asio::steady_timer timer(acceptor.get_executor(), pause);
      co_await timer.async_wait(answered_as_result);
      const std::string answer = by ? by(requests.back()) : answers.front();
      if (!by && answers.size() > 1) answers.erase(answers.begin());
      if (answer.empty()) co_return;
      co_await asio::async_write(stream, asio::buffer(answer), answered_as_result);
      if (idle_close) {
        timer.expires_after(*idle_close);
        co_await timer.async_wait(answered_as_result);
        co_return;
      }
    }
  }

  tcp::acceptor acceptor;
  std::vector<std::string> answers{ok("{}")};
  std::function<std::string(const std::string& request)> by;  // in their stead
  std::vector<std::string> requests;
  std::chrono::milliseconds pause{0};
  std::optional<std::chrono::milliseconds> idle_close;
  int connections = 0;
};

}  // namespace nearside::tests
