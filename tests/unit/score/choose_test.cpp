// SPDX-License-Identifier: BSD-2-Clause
// Policies, criteria, all-down and TTL, through the scoreboard that the agent uses.
#include <catch2/catch.hpp>

#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

/// a 50 ms, b 20 ms, c 90 ms, all up.
void measure(scoreboard& board, std::size_t targets = 3) {
  const double times[]{50, 20, 90};
  for (std::size_t t = 0; t < targets; ++t) board.add(t, ok(0.1 * static_cast<double>(t), times[t % 3]));
}

void kill(scoreboard& board, std::size_t target, double when) {
  board.add(target, bad(when));
  board.add(target, bad(when + 0.2));
}

const verdict& verdict_of(const trace& told, const std::string& server, std::size_t family = 0) {
  for (const verdict& v : told.families[family].verdicts)
    if (v.server == server) return v;
  throw std::runtime_error("no such server in the trace");
}

TEST_CASE("latency answers with the fastest server alone", "[score][policy]") {
  scoreboard board = fixture().board();
  measure(board);
  CHECK(firsts(board) == "b");
  CHECK(whole(board) == "b");
  CHECK(board.in_use(1));
  CHECK_FALSE(board.in_use(0));
}

TEST_CASE("latency with several addresses lists the others behind who serves, and does not shuffle them",
          "[score][policy]") {
  fixture given;
  given.usual.rules.addresses = 2;
  scoreboard board = given.board();
  measure(board);
  CHECK(whole(board) == "ba");
  // c becomes the second best, but nobody came or went.
  for (double now = 5; now < 60; now += 5) board.add(0, ok(now, 300));
  CHECK(whole(board) == "ba");
  kill(board, 0, 60);
  CHECK(whole(board) == "bc");
}

TEST_CASE("failover answers with the first that is up, by priority and then by order", "[score][policy]") {
  fixture given(3, policy::failover);
  given.usual.members[2].priority = 0;
  scoreboard board = given.board();
  measure(board);
  CHECK(firsts(board) == "c");
  kill(board, 2, 10);
  CHECK(firsts(board) == "a");
  kill(board, 0, 11);
  CHECK(firsts(board) == "b");
}

TEST_CASE("all answers with every server that is up, each first as often as its weight says", "[score][policy]") {
  fixture given(3, policy::all);
  given.usual.members[0].weight = 2;
  scoreboard board = given.board();
  measure(board);
  CHECK(whole(board).size() == 3);
  CHECK(share_of(choice_of(board).alternatives, 0) == Approx(0.5).margin(0.001));
  kill(board, 0, 10);
  CHECK(whole(board) == "bc");
}

TEST_CASE("weighted answers with one server, and weight 0 only serves when the others are out", "[score][policy]") {
  fixture given(3, policy::weighted);
  given.usual.members[1].weight = 0;
  scoreboard board = given.board();
  measure(board);
  CHECK(whole(board).size() == 1);
  CHECK(share_of(choice_of(board).alternatives, 1) == 0);
  CHECK(verdict_of(board.explain(0, at(1)), "b").rule == "weight");
  kill(board, 0, 10);
  kill(board, 2, 11);
  CHECK(firsts(board) == "b");
}

TEST_CASE("spread keeps to those near the best, and lets go of them a little later than it takes them",
          "[score][policy]") {
  fixture given(3, policy::spread);
  given.usual.rules.within = ms(40);
  scoreboard board = given.board();
  measure(board);
  CHECK(firsts(board) == "ab");
  // 20 + 40 x 1.25 = 70: a may become as slow as that.
  for (double now = 5; now < 300; now += 5) {
    board.add(0, ok(now, 65));
    board.add(1, ok(now, 20));
  }
  CHECK(firsts(board) == "ab");
  for (double now = 300; now < 600; now += 5) {
    board.add(0, ok(now, 75));
    board.add(1, ok(now, 20));
  }
  CHECK(firsts(board) == "b");
}

TEST_CASE("spread answers with somebody though nothing is measured yet and every server costs more than the distance",
          "[score][policy]") {
  fixture given(2, policy::spread);
  given.usual.rules.within = ms(5);
  for (member& m : given.usual.members) m.cost = 10;
  CHECK(firsts(given.board()) == "ab");
}

TEST_CASE("hash answers by client", "[score][policy]") {
  scoreboard board = fixture(3, policy::hash).board();
  measure(board);
  CHECK(choice_of(board).by_client);
  CHECK(choice_of(board).alternatives.size() == rendezvous::buckets);
  kill(board, 0, 10);
  kill(board, 2, 10);
  CHECK_FALSE(choice_of(board).by_client);  // there is nothing to draw
  CHECK(firsts(board) == "b");
}

TEST_CASE("each criterion changes the answer of the same measurements, and the trace names it", "[score][criteria]") {
  fixture given(3, policy::all);
  std::string rule;
  std::string answered;
  SECTION("max_rtt") {
    given.usual.rules.maximum_rtt = ms(60);
    rule = "max_rtt";
    answered = "ab";
  }
  SECTION("max_cost") {
    given.usual.rules.maximum_cost = 1;
    given.usual.members[2].cost = 2;
    rule = "max_cost";
    answered = "ab";
  }
  SECTION("sites") {
    given.usual.rules.sites = {"near"};
    given.usual.members[0].site = "near";
    given.usual.members[1].site = "near";
    rule = "sites";
    answered = "ab";
  }
  SECTION("priority") {
    given.usual.members[2].priority = 2;
    rule = "priority";
    answered = "ab";
  }
  scoreboard board = given.board();
  measure(board);
  CHECK(whole(board) == answered);
  const trace told = board.explain(0, at(1));
  CHECK(verdict_of(told, "c").rule == rule);
  CHECK(verdict_of(told, "a").rule.empty());
}

TEST_CASE("max_loss removes a server that loses probes", "[score][criteria]") {
  fixture given(2, policy::all);
  given.usual.rules.maximum_loss = 0.2;
  scoreboard board = given.board();
  for (int i = 0; i < 20; ++i) {
    const double now = 2.0 * i;
    board.add(0, i % 3 == 0 ? bad(now) : ok(now, 20));
    board.add(1, ok(now, 20));
  }
  CHECK(whole(board) == "b");
  CHECK(verdict_of(board.explain(0, at(41)), "a").rule == "max_loss");
}

TEST_CASE("who was over max_rtt returns only well below it", "[score][criteria]") {
  fixture given(2, policy::all);
  given.usual.rules.maximum_rtt = ms(100);
  scoreboard board = given.board();
  board.add(0, ok(0, 120));
  board.add(1, ok(0, 20));
  CHECK(whole(board) == "b");
  for (double now = 1; now < 100; ++now) board.add(0, ok(now, 90));
  CHECK(whole(board) == "b");
  for (double now = 100; now < 200; ++now) board.add(0, ok(now, 70));
  CHECK(whole(board) == "ab");
}

TEST_CASE("cost is the milliseconds that a server must be faster by", "[score][criteria]") {
  fixture given;
  given.usual.members[1].cost = 40;
  scoreboard board = given.board();
  measure(board);
  CHECK(firsts(board) == "a");  // 50 against 20 + 40
}

TEST_CASE("before the first result a server is eligible only when nothing is up", "[score][unknown]") {
  fixture given(3, policy::all);
  scoreboard board = given.board();
  CHECK(whole(board) == "abc");
  CHECK(choice_of(board).ttl == 3);
  board.add(1, ok(0, 20));
  CHECK(whole(board) == "b");
  CHECK(verdict_of(board.explain(0, at(0)), "a").rule == "unknown");
  given.usual.rules.unknown = unknown_rule::up;
  CHECK(whole(given.board()) == "abc");
}

TEST_CASE("all down: all servers, SERVFAIL or the fallback, as configured", "[score][all_down]") {
  fixture given;
  given.usual.families[0].fallbacks = 1;
  const auto killed = [&] {
    auto board = std::make_unique<scoreboard>(given.targets, std::vector{given.usual}, given.latency, at(0));
    measure(*board);
    for (std::size_t t = 0; t < 3; ++t) kill(*board, t, 10.0 + static_cast<double>(t));
    return board;
  };
  CHECK(firsts(*killed()) == "abc");
  CHECK(choice_of(*killed()).ttl == 3);
  given.usual.rules.all_down = all_down_rule::servfail;
  CHECK(choice_of(*killed()).what == dns::choice::kind::servfail);
  given.usual.rules.all_down = all_down_rule::fallback;
  CHECK(firsts(*killed()) == "d");
  CHECK(killed()->explain(0, at(20)).families[0].outcome == "all down: the fallback addresses");
}

TEST_CASE("fewer than minimum_healthy count as all down", "[score][all_down]") {
  fixture given;
  given.usual.rules.minimum_healthy = 2;
  scoreboard board = given.board();
  measure(board);
  CHECK(firsts(board) == "b");
  kill(board, 0, 10);
  CHECK(firsts(board) == "b");
  kill(board, 2, 11);
  CHECK(firsts(board) == "abc");
  CHECK(verdict_of(board.explain(0, at(12)), "b").rule == "minimum_healthy");
}

TEST_CASE("a family without an up server is NODATA while the other has one", "[score][families]") {
  fixture given;
  given.with_ipv6();
  scoreboard board = given.board();
  measure(board, 6);
  CHECK(firsts(board, 1) == "b");
  for (std::size_t t = 3; t < 6; ++t) kill(board, t, 10.0 + static_cast<double>(t));
  CHECK(choice_of(board, 1).what == dns::choice::kind::nodata);
  CHECK(firsts(board, 0) == "b");
  for (std::size_t t = 0; t < 3; ++t) kill(board, t, 20.0 + static_cast<double>(t));
  CHECK(firsts(board, 0) == "abc");
  CHECK(firsts(board, 1) == "abc");
}

TEST_CASE("the TTL is short from the first failure until it is settled", "[score][ttl]") {
  scoreboard board = fixture().board();
  measure(board);
  CHECK(choice_of(board).ttl == 20);
  board.add(1, bad(10));
  CHECK(firsts(board) == "b");
  CHECK(choice_of(board).ttl == 3);
  CHECK(board.explain(0, at(10)).families[0].ttl_reason == "ttl_min: b has failed, and may be down at the next result");
  board.add(1, ok(10.2, 20));
  CHECK(choice_of(board).ttl == 20);
}

TEST_CASE("a failure of a server that is in no answer leaves the TTL alone", "[score][ttl]") {
  scoreboard board = fixture().board();
  measure(board);
  CHECK(board.add(2, bad(10)).pools.empty());
  CHECK(choice_of(board).ttl == 20);
}

TEST_CASE("the TTL is no longer than until a server may be up again", "[score][ttl]") {
  scoreboard board = fixture(2, policy::all).board();
  measure(board, 2);
  kill(board, 0, 10);
  CHECK(choice_of(board).ttl == 20);
  for (int success = 0; success < 3; ++success) {
    board.add(0, ok(15 + 5.0 * success, 50));
    CHECK(choice_of(board).ttl == static_cast<std::uint32_t>(15 - 5 * success));
  }
  board.add(0, ok(30, 50));
  CHECK(whole(board) == "ab");
  CHECK(choice_of(board).ttl == 20);
}

TEST_CASE("the stale answer is all servers in rotation with ttl_min", "[score][stale]") {
  const auto made = stale_choice(fixture().usual);
  CHECK(made.families[0].alternatives.size() == 3);
  CHECK(made.families[0].alternatives[1].order == std::vector<std::uint8_t>{1, 2, 0});
  CHECK(made.families[0].ttl == 3);
  CHECK(made.families[1].what == dns::choice::kind::nodata);
}

}  // namespace
}  // namespace nearside::score
