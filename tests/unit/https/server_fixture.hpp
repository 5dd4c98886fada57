// SPDX-License-Identifier: BSD-2-Clause
// A server under test with an authority of its own, and clients that say octets.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "agent/https/server.hpp"
#include "agent/https/tls_context.hpp"
#include "agent/https/tls_stream.hpp"
#include "tests/support/certificates.hpp"

namespace nearside::https {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;

inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

inline std::string post(const std::string& body, const std::string& more = "") {
  return "POST /v1/renew HTTP/1.1\r\nHost: b1\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// A client that says octets, and hears what comes until `enough` of it is there, the end, or a second without any.
struct octet_client {
  octet_client(asio::io_context& io, https::tls_context tls, std::uint16_t to)
      : context(std::move(tls)), stream(io, *context), port(to) {}

  asio::awaitable<bool> open() {
    const tcp::endpoint there(asio::ip::address_v4::loopback(), port);
    const auto [unreached] = co_await stream.next_layer().async_connect(there, as_result);
    if (unreached) co_return false;
    const auto [failed] = co_await stream.async_handshake(https::tls_stream::client, as_result);
    co_return !failed;
  }
  asio::awaitable<bool> say(std::string octets) {
    const auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(octets), as_result);
    co_return !failed;
  }
  asio::awaitable<std::string> hear(std::string enough) {
    std::string heard;
    deadline until(stream.get_executor());
    until.give_up_by([this] { stream.next_layer().close(); });
    until.within(3s);
    std::array<char, 4096> chunk;
    while (heard.find(enough) == std::string::npos) {
      const auto [failed, got] = co_await stream.async_read_some(asio::buffer(chunk), as_result);
      heard.append(chunk.data(), got);
      if (failed) co_return heard + "[" + (until.expired() ? "nothing more" : failed.message()) + "]";
    }
    co_return heard;
  }
  asio::awaitable<std::string> ask(std::string octets, std::string enough = "\r\n\r\n") {
    const bool said = co_await say(std::move(octets));
    if (!said) co_return "[not sent]";
    co_return co_await hear(std::move(enough));
  }

  https::tls_context context;
  https::tls_stream stream;
  std::uint16_t port;
};

struct tested_server {
  explicit tested_server(https::server_limits limits = {}) {
    https::tls_context context = https::server_context({ca.ca(), own.certificate, own.key}).value();
    under_test = server::make(io.get_executor(), context, limits, [this](const https::request& asked) {
                   seen.push_back({std::string(asked.method), std::string(asked.target), std::string(asked.coding),
                                   std::string(asked.body), asked.client});
                   return https::reply{200, R"({"ok":true})"};
                 }).value();
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    port = acceptor.local_endpoint().port();
    under_test->listen(std::move(acceptor));
  }
  [[nodiscard]] https::tls_context as(const tests::certificate_files& files) const {
    return https::client_context({ca.ca(), files.certificate, files.key}).value();
  }
  template <typename T>
  T run(asio::awaitable<T> what) {
    std::optional<T> end;
    auto on_end = [&](const std::exception_ptr& thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      end = std::move(value);
      io.stop();
    };
    asio::co_spawn(io, std::move(what), std::move(on_end));
    io.restart();
    io.run_for(20s);
    REQUIRE(end.has_value());
    return std::move(*end);
  }
  void rest(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }
  /// A connection of its own: a handshake, these octets, and what is heard.
  std::string once(const https::tls_context& tls, const std::string& octets, const std::string& enough = "\r\n\r\n") {
    octet_client one(io, tls, port);
    const auto all = [&]() -> asio::awaitable<std::string> {
      if (!co_await one.open()) co_return "[no handshake]";
      co_return co_await one.ask(octets, enough);
    };
    return run(all());
  }

  struct request {
    std::string method, target, coding, body;
    https::client_certificate client;
  };
  tests::authority ca;
  tests::certificate_files own = ca.issue("DNS:b1.example.net");
  tests::certificate_files edge = ca.issue("DNS:E17.ns.lb.example.com,IP:192.0.2.1,IP:2001:db8::1");
  asio::io_context io;
  std::shared_ptr<server> under_test;
  std::vector<request> seen;
  std::uint16_t port = 0;
};

}  // namespace nearside::https
