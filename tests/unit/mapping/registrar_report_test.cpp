// SPDX-License-Identifier: BSD-2-Clause
// When an edge reports.
#include "unit/mapping/registrar_fixture.hpp"

namespace nearside::mapping {
namespace {

using boost::asio::ip::make_address;
using state = registrar::state;

}  // namespace

TEST_CASE("a report goes out when it changes, at most once a second, and every half minute", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == reports);
  edge.empty_ok();
  edge.one.set_report(a_report(10, {1, 0}));
  auto before = edge.now;
  REQUIRE(edge.next_kind(2s) == reports);
  CHECK(edge.now - before >= 1s);
  edge.empty_ok();
  CHECK(edge.one.reported_at() == edge.now);
  before = edge.now;
  REQUIRE(edge.next_kind(60s) == reports);
  CHECK(edge.now - before >= 29s);
  CHECK(edge.now - before <= 31s);
}

TEST_CASE("figures that differ little wait for the next refresh", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.set_report(a_report(10));
  REQUIRE(edge.next_kind() == reports);
  edge.empty_ok();
  edge.one.set_report(a_report(11.5));
  CHECK(edge.next_kind(25s) == std::nullopt);
  REQUIRE(edge.next_kind(6s) == reports);
  CHECK(parse_report(edge.body)->content.figures[0].rtt_ms == 11.5);
  edge.empty_ok();
  edge.one.set_report(a_report(15));
  CHECK(edge.next_kind(2s) == reports);
}

TEST_CASE("what changes while a report is under way is reported after it", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.set_report(a_report(10));
  REQUIRE(edge.next_kind() == reports);
  edge.one.set_report(a_report(10, {1}));
  edge.empty_ok();
  REQUIRE(edge.next_kind(1100ms) == reports);
  CHECK(parse_report(edge.body)->content.answers[0].rank == std::vector<std::uint32_t>{1});
}

TEST_CASE("a server's state, its loss and its figures by much are news", "[mapping][report]") {
  const auto base = *a_report();
  auto other = base;
  CHECK(!is_news(base, other));
  SECTION("age and TTL are none") {
    other.figures[0].age_s = 5;
    other.answers[0].ttl = 5;
    CHECK(!is_news(base, other));
    return;
  }
  SECTION("state") { other.figures[0].state = "down"; }
  SECTION("loss") { other.figures[0].loss = 0.2; }
  SECTION("rtt") { other.figures[0].rtt_ms = 13; }
  SECTION("no rtt") { other.figures[0].rtt_ms.reset(); }
  SECTION("names") { other.answers[0].names.emplace_back("api.lb.example.com."); }
  SECTION("servers") { other.servers[1] = "ams2"; }
  CHECK(is_news(base, other));
}

TEST_CASE("reports wait for the registration", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.one.set_report(a_report());
  CHECK(edge.next_kind(1h) == std::nullopt);
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.ok();
  CHECK(edge.next_kind() == reports);
}

TEST_CASE("a report that the node does not take leaves the registration as it is", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == reports);
  edge.refuse(GENERATE(refusal::too_large, refusal::malformed));
  CHECK(edge.one.where() == state::registered);
  CHECK(edge.next_kind(40s) == std::nullopt);
  CHECK(edge.next_kind(40s) == reports);
}

TEST_CASE("a lost report is sent again", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == reports);
  edge.one.failed("timeout", edge.now);
  CHECK(edge.next_kind(1100ms) == reports);
}

}  // namespace nearside::mapping
