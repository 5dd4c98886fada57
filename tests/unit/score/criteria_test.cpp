// SPDX-License-Identifier: BSD-2-Clause
// Who may be answered: criteria and preferences, through the scoreboard that the agent uses.
#include <catch2/catch.hpp>

#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

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

TEST_CASE("who was over max_loss returns only well below it", "[score][criteria]") {
  fixture given(2, policy::all);
  given.usual.rules.maximum_loss = 0.2;
  scoreboard board = given.board();
  board.add(1, ok(0, 20));
  for (int i = 0; i < 100; ++i) board.add(0, i % 4 == 0 ? bad(i) : ok(i, 20));  // 25 of 100
  CHECK(whole(board) == "b");
  for (int i = 100; i < 130; ++i) board.add(0, ok(i, 20));  // 25 of 130
  CHECK(whole(board) == "b");
  for (int i = 130; i < 160; ++i) board.add(0, ok(i, 20));  // 25 of 160
  CHECK(whole(board) == "ab");
}

TEST_CASE("unknown = down: who has no result never serves, not even alone", "[score][unknown]") {
  fixture given(2, policy::all);
  given.usual.rules.unknown = unknown_rule::down;
  given.usual.rules.all_down = all_down_rule::servfail;
  scoreboard board = given.board();
  CHECK(choice_of(board).what == dns::choice::kind::servfail);
  board.add(1, ok(0, 20));
  CHECK(whole(board) == "b");
}

TEST_CASE("sites serve in the order of their preference, others after all of them", "[score][criteria]") {
  fixture given(3, policy::all);
  given.usual.rules.sites = {"best", "good"};
  given.usual.members[0].site = "good";
  given.usual.members[1].site = "best";
  scoreboard board = given.board();
  measure(board);
  CHECK(whole(board) == "b");
  kill(board, 1, 10);
  CHECK(whole(board) == "a");
  kill(board, 0, 11);
  CHECK(whole(board) == "c");
}

}  // namespace
}  // namespace nearside::score
