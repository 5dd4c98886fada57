// SPDX-License-Identifier: BSD-2-Clause
// Checks against servers on loopback, in this process.
#include <sys/resource.h>

#include <boost/asio/ip/udp.hpp>
#include <catch2/catch.hpp>

#include "tests/unit/probe/loop.hpp"

using namespace nearside;
using namespace nearside::probe;
using config::check_type;
using score::outcome;

namespace {

/// A port on which nobody listens.
std::uint16_t free_port(asio::io_context& context) {
  const tcp::acceptor closed(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return closed.local_endpoint().port();
}

/// Listens, and never accepts: the kernel completes the handshake, and nobody answers.
struct silent_server {
  explicit silent_server(asio::io_context& context)
      : acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  std::uint16_t port() const { return acceptor.local_endpoint().port(); }
  tcp::acceptor acceptor;
};

}  // namespace

TEST_CASE("a tcp check succeeds where something listens, and knows the time", "[probe][tcp]") {
  loop here;
  const silent_server server(here.context);
  const auto begin = std::chrono::steady_clock::now();
  const auto found = here.run(check_of(check_type::tcp), server.port());
  REQUIRE(found.has_value());
  CHECK(found->at >= begin);
  CHECK(found->at <= std::chrono::steady_clock::now());
  CHECK(found->what == outcome::ok);
  CHECK(found->reason.empty());
  REQUIRE(found->connect);
  CHECK(found->first_byte == found->connect);
  CHECK(*found->connect > 0s);
  CHECK(*found->connect < 1s);
}

TEST_CASE("a closed port is refused", "[probe][tcp]") {
  loop here;
  for (const auto type : {check_type::tcp, check_type::http, check_type::https, check_type::tls, check_type::dns}) {
    const auto found = here.run(check_of(type), free_port(here.context));
    REQUIRE(found.has_value());
    CHECK(found->what == outcome::failed);
    CHECK(found->reason == "refused");
    CHECK_FALSE(found->first_byte);
  }
}

TEST_CASE("an http check succeeds with an expected status, and tells the times", "[probe][http]") {
  loop here;
  const scripted_server server(here.context, {"HTTP/1.1 204 No Content\r\n\r\n"}, 30ms);
  const auto found = here.run(check_of(check_type::http), server.port());
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::ok);
  REQUIRE(found->connect);
  REQUIRE(found->first_byte);
  CHECK(*found->connect < 30ms);
  CHECK(*found->first_byte >= 30ms);
  CHECK(server.request().starts_with("GET / HTTP/1.1\r\n"));
}

TEST_CASE("an unexpected status fails by its number, with the time of its first byte", "[probe][http]") {
  loop here;
  const scripted_server server(here.context, {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"});
  const auto found = here.run(check_of(check_type::http), server.port());
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::failed);
  CHECK(found->reason == "http 503");
  CHECK(found->first_byte);
}

TEST_CASE("a body is searched for a substring and for an expression, up to its limit", "[probe][http]") {
  loop here;
  const scripted_server server(here.context, {"HTTP/1.0 200 OK\r\n\r\n", "all is ", "well"}, 1ms);
  auto check = check_of(check_type::http);
  const auto reason = [&] {
    const auto found = here.run(check, server.port());
    REQUIRE(found.has_value());
    return found->reason;
  };
  check.body = "is well";
  CHECK(reason().empty());
  check.body = "is bad";
  CHECK(reason() == "body mismatch");
  check.body = "all";
  check.body_regex = "^all is (well|good)$";
  CHECK(reason().empty());
  check.body_limit = 7;
  CHECK(reason() == "body mismatch");
}

TEST_CASE("a server that accepts and never answers times out at the step it is in", "[probe][timeout]") {
  loop here;
  const silent_server server(here.context);
  const auto reason = [&](check_type type) {
    const auto begin = std::chrono::steady_clock::now();
    const auto found = here.run(check_of(type, 60ms), server.port());
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= 60ms);
    CHECK(took < 1s);
    REQUIRE(found.has_value());
    CHECK(found->what == outcome::lost);
    CHECK(found->connect);
    CHECK_FALSE(found->first_byte);
    return found->reason;
  };
  CHECK(reason(check_type::http) == "timeout: first byte");
  CHECK(reason(check_type::tls) == "timeout: handshake");
  CHECK(reason(check_type::https) == "timeout: handshake");
}

TEST_CASE("each step has the time-out anew: a far server is not taken for dead", "[probe][timeout]") {
  loop here;
  // The header comes after 120 ms, the body 120 ms later: both within 200 ms, together not.
  const scripted_server server(here.context, {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok"}, 120ms);
  const auto found = here.run(check_of(check_type::http, 200ms), server.port());
  REQUIRE(found.has_value());
  CHECK(found->reason.empty());
}

TEST_CASE("a body that dribbles does not hold a check beyond its time", "[probe][timeout]") {
  loop here;
  std::vector<std::string> parts{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"};
  parts.resize(100, "x");
  const scripted_server server(here.context, std::move(parts), 20ms);
  const auto begin = std::chrono::steady_clock::now();
  const auto found = here.run(check_of(check_type::http, 100ms), server.port());
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::lost);
  CHECK(found->reason == "timeout: body");
  CHECK(std::chrono::steady_clock::now() - begin < 400ms);
}

TEST_CASE("an answer that ends early, a close without one, and another protocol are told apart", "[probe][http]") {
  loop here;
  const auto reason = [&](std::vector<std::string> parts, check_type type) {
    const scripted_server server(here.context, std::move(parts));
    const auto found = here.run(check_of(type), server.port());
    REQUIRE(found.has_value());
    CHECK(found->what == outcome::failed);
    return found->reason;
  };
  CHECK(reason({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"}, check_type::http) == "http: answer is cut short");
  CHECK(reason({}, check_type::http) == "closed: first byte");
  CHECK(reason({"220 mail.example.com ESMTP\r\n"}, check_type::http) == "http: not an HTTP answer");
}

TEST_CASE("plain octets in place of a handshake are a failure of TLS", "[probe][tls]") {
  loop here;
  tcp::acceptor acceptor(here.context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto port = acceptor.local_endpoint().port();
  auto serve = [&]() -> asio::awaitable<void> {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    const std::string plain = "HTTP/1.1 400 Bad Request\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(plain), asio::use_awaitable);
  };
  asio::co_spawn(here.context, serve, asio::detached);
  const auto found = here.run(check_of(check_type::tls), port);
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::failed);
  CHECK(found->reason == "tls: wrong version number");
}

TEST_CASE("a dns check passes over replies to other questions", "[probe][dns]") {
  loop here;
  using asio::ip::udp;
  udp::socket server(here.context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto port = server.local_endpoint().port();
  auto serve = [&]() -> asio::awaitable<void> {
    std::array<std::uint8_t, 512> octets{};
    udp::endpoint client;
    const auto length = co_await server.async_receive_from(asio::buffer(octets), client, asio::use_awaitable);
    octets[2] |= 0x80;
    octets[3] = 2;  // SERVFAIL
    octets[0] ^= 1;
    server.send_to(asio::buffer(octets, length), client);
    octets[0] ^= 1;
    octets[13] ^= 1;
    server.send_to(asio::buffer(octets, length), client);
    octets[13] ^= 1;
    octets[3] = 0;
    server.send_to(asio::buffer(octets, length), client);
  };
  asio::co_spawn(here.context, serve, asio::detached);
  auto check = check_of(check_type::dns);
  check.qname = "example.com";
  const auto found = here.run(check, port);
  REQUIRE(found.has_value());
  CHECK(found->reason.empty());
  CHECK(found->first_byte);
}

TEST_CASE("a dns check of a server that says nothing is lost", "[probe][dns]") {
  loop here;
  using asio::ip::udp;
  const udp::socket server(here.context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto found = here.run(check_of(check_type::dns, 50ms), server.local_endpoint().port());
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::lost);
  CHECK(found->reason == "timeout: reply");
}

// UBSan finds out by a pipe whether memory can be read: without descriptors it takes every object for a wrong one.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("without a file descriptor there is no sample, but a fault of ours", "[probe][local]") {
  loop here;
  const silent_server server(here.context);
  // The reactor's own descriptors are made at the first use.
  REQUIRE(here.run(check_of(check_type::tcp), server.port()).has_value());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{3, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  std::vector<errc> kinds;
  for (const auto type : {check_type::tcp, check_type::http, check_type::dns, check_type::icmp, check_type::exec}) {
    auto check = check_of(type);
    check.command = {"/bin/true"};
    const auto found = here.run(check, server.port());
    kinds.push_back(found ? errc::invalid : found.error().kind);
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    INFO(i);
    CHECK((kinds[i] == errc::exhausted || (i == 3 && kinds[i] == errc::denied)));
  }
}
#endif
