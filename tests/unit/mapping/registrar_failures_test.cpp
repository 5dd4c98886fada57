// SPDX-License-Identifier: BSD-2-Clause
// A registration that does not go well: lost answers, nodes that are away, refusals, numbers that are stale.
#include "unit/mapping/registrar_fixture.hpp"

namespace nearside::mapping {
namespace {

using boost::asio::ip::make_address;
using state = registrar::state;

}  // namespace

TEST_CASE("a registration whose answer was lost is sent again, as a newer one", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.one.failed("b1: timeout", edge.now);
  CHECK(edge.one.error_text() == "b1: timeout");
  REQUIRE(edge.next_kind(2s) == registers);  // next() checks that its number is higher
  edge.ok();
  CHECK(edge.one.error_text().empty());
}

TEST_CASE("a change whose registration's answer was lost is not forgotten", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  edge.one.failed("timeout", edge.now);
  REQUIRE(edge.next_kind(2s) == registers);
}

TEST_CASE("a node that cannot be reached is tried ever more rarely, up to once a minute", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.random = 0.999;
  edge.set({egress("203.0.113.1")});
  std::vector<std::int64_t> waits;
  auto before = edge.now;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(edge.next_kind(2min) == registers);
    waits.push_back(std::chrono::round<std::chrono::seconds>(edge.now - before).count());
    before = edge.now;
    edge.one.failed("refused", edge.now);
  }
  CHECK(waits == std::vector<std::int64_t>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60});
  CHECK(edge.one.failures() == 10);
  SECTION("and by jitter down to half of it") {
    edge.random = 0;
    edge.one.failed("late", edge.now);  // nothing is under way: no effect
    REQUIRE(edge.next_kind(2min) == registers);
    edge.one.failed("refused", edge.now);
    before = edge.now;
    REQUIRE(edge.next_kind(2min) == registers);
    CHECK(edge.now - before <= 31s);
  }
  SECTION("and at once again after a success") {
    REQUIRE(edge.next_kind(2min) == registers);
    edge.ok();
    edge.set({egress("203.0.113.2")});
    REQUIRE(edge.next_kind(1s) == registers);
    edge.one.failed("refused", edge.now);
    CHECK(edge.next_kind(1100ms) == registers);
  }
}

TEST_CASE("changes do not hurry a node that fails", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  for (int i = 0; i < 6; ++i) {
    REQUIRE(edge.next_kind(2min) == registers);
    edge.one.answered(503, "", edge.now);
  }
  edge.set({egress("203.0.113.2")});
  CHECK(edge.next_kind(10s) == std::nullopt);
}

TEST_CASE("a node that was restarted and does not know us is told at once", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  SECTION("at a renewal") { REQUIRE(edge.next_kind(120s) == renews); }
  SECTION("at a report") {
    edge.one.set_report(a_report());
    REQUIRE(edge.next_kind(1s) == reports);
  }
  edge.refuse(refusal::unknown_edge);
  CHECK(edge.one.where() == state::unregistered);
  REQUIRE(edge.next_kind() == registers);
  CHECK(parse_registration(edge.body, true)->egresses.size() == 1);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
}

TEST_CASE("a node that never knows us is not asked in a loop", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.refuse(refusal::unknown_edge);
  CHECK(edge.next_kind() == std::nullopt);
}

TEST_CASE("a stale number is raised above what the node knows, and the message sent again", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  const std::uint64_t known = edge.newest + 1'000'000'000'000;
  edge.refuse(refusal::stale_sequence, known);
  REQUIRE(edge.next_kind() == registers);
  CHECK(edge.newest == known + 1);
  edge.ok();
  // And stays above, though the clock is behind.
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.newest == known + 2);
}

TEST_CASE("a stale number of a node that does not say more leaps ever farther", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  const std::uint64_t year = 31'536'000'000'000;
  int tries = 0;
  std::uint64_t first = 0;
  while (edge.next_kind(2min) == registers && ++tries < 40) {
    if (first == 0) first = edge.newest;
    if (edge.newest > first + year) break;
    edge.refuse(refusal::stale_sequence);
  }
  CHECK(tries < 25);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
}

TEST_CASE("numbers never end, and never leave what JSON can carry", "[mapping][registrar]") {
  sequence_numbers numbers;
  numbers.go_above(~std::uint64_t{0});
  CHECK(numbers.next(std::chrono::system_clock::now()) == (std::uint64_t{1} << 53U) - 1);
  sequence_numbers from_the_past;
  CHECK(from_the_past.next(std::chrono::system_clock::time_point(-5s)) == 1);
}

TEST_CASE("a clock that is set back does not set the numbers back", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  const auto before = edge.newest;
  edge.wall -= 24h;
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.newest == before + 1);
}

TEST_CASE("all nodes are sent numbers of one row", "[mapping][registrar]") {
  registrar_by_hand edge;
  registrar other(usual_settings(), edge.numbers, [] { return 0.5; });
  other.set_content({make_address("192.0.2.17")}, {egress("203.0.113.1")}, edge.now);
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  const auto sent = std::get<registrar::request>(other.next({edge.now, edge.wall}));
  CHECK(sent.sequence == edge.newest + 1);
}

TEST_CASE("an edge that is not allowed tries slowly and says why", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  const auto why = GENERATE(refusal::not_allowed, refusal::malformed);
  edge.refuse(why);
  CHECK(edge.one.where() == state::refused);
  CHECK_THAT(edge.one.error_text(), Catch::Matchers::Contains(std::string(text_of(why)) + ": because"));
  CHECK(edge.next_kind(45s) == std::nullopt);
  REQUIRE(edge.next_kind(30s) == registers);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
}

TEST_CASE("an egress that lacks a proof is registered anew when there is one, ever more rarely",
          "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1", "")});
  REQUIRE(edge.next_kind() == registers);
  const std::vector<egress_verdict> not_seen{{make_address("203.0.113.1"), false, "not_seen"}};
  edge.ok(not_seen);
  CHECK(edge.next_kind(60s) == std::nullopt);
  edge.set({egress("203.0.113.1", "proof1")});
  REQUIRE(edge.next_kind() == registers);
  SECTION("until it is accepted") {
    edge.ok({{make_address("203.0.113.1"), true, ""}});
    edge.set({egress("203.0.113.1", "proof2")});
    CHECK(edge.next_kind(30s) == std::nullopt);
  }
  SECTION("however many proofs there are") {
    int sent = 0;
    edge.ok(not_seen);
    const auto end = edge.now + 60s;
    for (int i = 0; edge.now < end; ++i) {
      edge.set({egress("203.0.113.1", ("again" + std::to_string(i)).c_str())});
      const auto kind = edge.next_kind();
      if (kind) {
        CHECK(kind == registers);
        ++sent;
        edge.ok(not_seen);
      }
      edge.pass(50ms);
    }
    CHECK(sent >= 4);
    CHECK(sent <= 8);
  }
}

TEST_CASE("a public resolver's refusal is no reason to try again", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.ok({{make_address("203.0.113.1"), false, "public_resolver"}});
  edge.set({egress("203.0.113.1", "newer")});
  CHECK(edge.next_kind(60s) == std::nullopt);
  CHECK(edge.one.verdicts()[0].reason == "public_resolver");
}

TEST_CASE("a lease that has ended while the node was away is registered anew", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  const auto end = edge.now + 300s;
  std::optional<message_kind> kind;
  while (edge.now < end) {
    kind = edge.next_kind(2min);
    REQUIRE(kind == renews);
    edge.one.failed("refused", edge.now);
    if (edge.next_kind() == std::nullopt && edge.until && *edge.until >= end) break;
  }
  REQUIRE(edge.next_kind(2min) == registers);
}

TEST_CASE("an answer that makes no sense counts as none", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.one.answered(200, "<html>", edge.now);
  CHECK(edge.one.where() == state::unregistered);
  CHECK_THAT(edge.one.error_text(), Catch::Matchers::StartsWith("not an answer to register: "));
  CHECK(edge.next_kind() == std::nullopt);
  CHECK(edge.next_kind(1100ms) == registers);
}

TEST_CASE("answers to nothing have no effect", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.ok();
  edge.refuse(refusal::not_allowed);
  edge.one.failed("late", edge.now);
  CHECK(edge.one.where() == state::unregistered);
  CHECK(edge.one.failures() == 0);
}

}  // namespace nearside::mapping
