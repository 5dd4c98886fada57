// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/ask.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "tests/support/resolver_on_loopback.hpp"

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::udp;
using Catch::Matchers::EndsWith;

namespace {

using tests::octets;
using tests::reply_to;
using replies = std::vector<octets>;

struct fixture {
  asio::io_context io;
  tests::resolver_on_loopback other{io};
  std::shared_ptr<const dns::question> question = std::make_shared<const dns::question>(
      dns::question::make("Abc.v4.b1.who.lb.example.com.", LDNS_RR_TYPE_TXT).value());

  result<registration::answer> ask(std::chrono::milliseconds time = 5s) {
    std::optional<result<registration::answer>> got;
    auto on_end = [&](const std::exception_ptr& thrown, result<registration::answer> found) {
      if (thrown) std::rethrow_exception(thrown);
      got.emplace(std::move(found));
      io.stop();
    };
    asio::co_spawn(io, registration::ask({asio::ip::address_v4::loopback(), other.port()}, question, time), on_end);
    io.restart();
    io.run_for(20s);
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
  CHECK(std::chrono::steady_clock::now() - started < 3s);
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
  io.run_for(5s);
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
