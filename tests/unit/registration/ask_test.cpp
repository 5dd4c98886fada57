// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/ask.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using Catch::Matchers::EndsWith;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
using octets = std::vector<std::uint8_t>;
using replies = std::vector<octets>;

/// The reply to a query, with these RRs in its answer section.
octets reply_to(const octets& query, const std::vector<std::string>& answers, int rcode = 0, bool truncated = false) {
  ldns_pkt* parsed = nullptr;
  REQUIRE(ldns_wire2pkt(&parsed, query.data(), query.size()) == LDNS_STATUS_OK);
  const dns::owned_packet packet(parsed);
  ldns_pkt_set_qr(parsed, true);
  ldns_pkt_set_rcode(parsed, static_cast<std::uint8_t>(rcode));
  ldns_pkt_set_tc(parsed, truncated);
  for (const std::string& text : answers) {
    ldns_rr* rr = nullptr;
    REQUIRE(ldns_rr_new_frm_str(&rr, text.c_str(), 0, nullptr, nullptr) == LDNS_STATUS_OK);
    ldns_pkt_push_rr(parsed, LDNS_SECTION_ANSWER, rr);
  }
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  REQUIRE(ldns_pkt2wire(&wire, parsed, &size) == LDNS_STATUS_OK);
  octets all(wire, wire + size);
  std::free(wire);  // NOLINT(*-no-malloc): ldns's
  return all;
}

/// A resolver on loopback, UDP and TCP on one port.
struct resolver {
  explicit resolver(asio::io_context& io)
      : udp_(io, {asio::ip::address_v4::loopback(), 0}), tcp_(io, {asio::ip::address_v4::loopback(), port()}) {
    asio::co_spawn(io, serve_udp(), asio::detached);
    asio::co_spawn(io, serve_tcp(), asio::detached);
  }
  [[nodiscard]] std::uint16_t port() const { return udp_.local_endpoint().port(); }

  std::function<std::vector<octets>(const octets&)> over_udp = [](const octets&) { return std::vector<octets>{}; };
  std::function<octets(const octets&)> over_tcp;
  octets query;

 private:
  asio::awaitable<void> serve_udp() {
    for (;;) {
      octets read(4096);
      udp::endpoint from;
      const auto [failed, got] = co_await udp_.async_receive_from(asio::buffer(read), from, as_result);
      if (failed) co_return;
      read.resize(got);
      query = read;
      for (const octets& one : over_udp(read)) udp_.send_to(asio::buffer(one), from);
    }
  }
  asio::awaitable<void> serve_tcp() {
    for (;;) {
      auto [failed, socket] = co_await tcp_.async_accept(as_result);
      if (failed) co_return;
      std::array<std::uint8_t, 2> length{};
      const auto [none, two] = co_await asio::async_read(socket, asio::buffer(length), as_result);
      if (none || !over_tcp) continue;
      octets read(static_cast<std::size_t>(length[0]) << 8U | length[1]);
      const auto [cut, got] = co_await asio::async_read(socket, asio::buffer(read), as_result);
      if (cut) continue;
      octets reply = over_tcp(read);
      reply.insert(reply.begin(),
                   {static_cast<std::uint8_t>(reply.size() >> 8), static_cast<std::uint8_t>(reply.size())});
      co_await asio::async_write(socket, asio::buffer(reply), as_result);
    }
  }
  udp::socket udp_;
  tcp::acceptor tcp_;
};

struct fixture {
  asio::io_context io;
  resolver other{io};
  std::shared_ptr<const dns::question> question = std::make_shared<const dns::question>(
      dns::question::make("Abc.v4.b1.who.lb.example.com.", LDNS_RR_TYPE_TXT).value());

  result<registration::answer> ask(std::chrono::milliseconds time = 1s) {
    std::optional<result<registration::answer>> got;
    auto on_end = [&](const std::exception_ptr& thrown, result<registration::answer> found) {
      if (thrown) std::rethrow_exception(thrown);
      got.emplace(std::move(found));
      io.stop();
    };
    asio::co_spawn(io, registration::ask({asio::ip::address_v4::loopback(), other.port()}, question, time), on_end);
    io.restart();
    io.run_for(5s);
    REQUIRE(got.has_value());
    return std::move(*got);
  }
};

const std::string alias = "abc.v4.b1.who.lb.example.com. 0 IN CNAME t.abc.v4.b1.who.lb.example.com.";
const std::string observed = "t.abc.v4.b1.who.lb.example.com. 0 IN TXT \"192.0.2.53\"";

}  // namespace

TEST_CASE("the answer to a nonce shows the address that was observed", "[registration][ask]") {
  fixture one;
  one.other.over_udp = [](const octets& query) { return replies{reply_to(query, {alias, observed})}; };
  const auto got = one.ask();
  REQUIRE(got.has_value());
  CHECK(got->rtt > 0us);
  CHECK(registration::observed_address(got->message.get()).value() == asio::ip::make_address("192.0.2.53"));
}

TEST_CASE("replies to other questions and with other IDs are passed over", "[registration][ask]") {
  fixture one;
  one.other.over_udp = [](const octets& query) {
    octets wrong_id = reply_to(query, {observed});
    wrong_id[0] ^= 1U;
    octets wrong_name = reply_to(query, {observed});
    wrong_name[13] ^= 1U;
    return replies{wrong_id, wrong_name, octets{1, 2, 3}, query, reply_to(query, {alias, observed})};
  };
  const auto got = one.ask();
  REQUIRE(got.has_value());
  CHECK(registration::observed_address(got->message.get()).has_value());
}

TEST_CASE("an answer that was cut is asked for over TCP", "[registration][ask]") {
  fixture one;
  one.other.over_udp = [](const octets& query) { return replies{reply_to(query, {}, 0, true)}; };
  SECTION("and comes") {
    one.other.over_tcp = [](const octets& query) { return reply_to(query, {alias, observed}); };
    const auto got = one.ask();
    REQUIRE(got.has_value());
    CHECK(registration::observed_address(got->message.get()).has_value());
  }
  SECTION("and does not") {
    const auto got = one.ask(300ms);
    REQUIRE(got.has_error());
    CHECK(got.error().kind == errc::failing);
  }
}

TEST_CASE("a resolver that says nothing is given up in time", "[registration][ask]") {
  fixture one;
  const auto started = std::chrono::steady_clock::now();
  const auto got = one.ask(100ms);
  REQUIRE(got.has_error());
  CHECK_THAT(got.error().message, EndsWith(": timeout"));
  CHECK(std::chrono::steady_clock::now() - started < 1s);
}

TEST_CASE("a port where nobody listens is told at once", "[registration][ask]") {
  asio::io_context io;
  udp::socket reserved(io, {asio::ip::address_v4::loopback(), 0});
  const udp::endpoint nobody = reserved.local_endpoint();
  reserved.close();
  const auto question = std::make_shared<const dns::question>(dns::question::make(".", LDNS_RR_TYPE_NS).value());
  std::string why;
  auto on_end = [&](const std::exception_ptr&, result<registration::answer> got) { why = got.error().message; };
  asio::co_spawn(io, registration::ask(nobody, question, 5s), on_end);
  io.run_for(1s);
  CHECK_THAT(why, EndsWith("Connection refused"));
}

TEST_CASE("an answer without an address says what it has", "[registration][ask]") {
  fixture one;
  std::string expected = "no address in the answer";
  SECTION("SERVFAIL") {
    one.other.over_udp = [](const octets& query) { return replies{reply_to(query, {}, LDNS_RCODE_SERVFAIL)}; };
    expected = "SERVFAIL";
  }
  SECTION("NODATA") {
    one.other.over_udp = [](const octets& query) { return replies{reply_to(query, {alias})}; };
  }
  SECTION("some text") {
    one.other.over_udp = [](const octets& query) {
      return replies{reply_to(
          query, {"abc.v4.b1.who.lb.example.com. 0 IN TXT \"v=spf1\"", "abc.v4.b1.who.lb.example.com. 0 IN TXT \"\""})};
    };
  }
  const auto got = one.ask();
  REQUIRE(got.has_value());
  const auto address = registration::observed_address(got->message.get());
  REQUIRE(address.has_error());
  CHECK(address.error().message == expected);
}
