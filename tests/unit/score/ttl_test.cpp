// SPDX-License-Identifier: BSD-2-Clause
// How long an answer may be kept, through the scoreboard that the agent uses.
#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

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

TEST_CASE("no answer outlives the moment in which a server may be up again, but by ttl_min", "[score][ttl]") {
  scoreboard board = fixture(2, policy::all).board();
  measure(board, 2);
  kill(board, 0, 10);
  CHECK(choice_of(board).ttl == 20);
  for (int success = 0; success < 3; ++success) {
    board.add(0, ok(15 + 5.0 * success, 50));
    // Up at 30; the answer is given until the next result.
    const int next_result = 20 + 5 * success;
    CHECK(choice_of(board).ttl == static_cast<std::uint32_t>(std::max(30 - next_result, 3)));
  }
  board.add(0, ok(30, 50));
  CHECK(whole(board) == "ab");
  CHECK(choice_of(board).ttl == 20);
}

TEST_CASE("the TTL is no longer than until a faster server takes over, in whole seconds", "[score][ttl]") {
  fixture given(2);
  given.latency.smoothing = 0s;
  given.latency.clip_deviations = 1000;
  scoreboard board = given.board();
  board.add(0, ok(0, 20));
  board.add(1, ok(9, 100));
  board.add(0, ok(10, 130.3));  // 30 ms better from here on: 30 of 500
  board.add(1, ok(15, 100));    // 180: not yet half of it
  CHECK(choice_of(board).ttl == 20);
  board.add(1, ok(20, 100));  // 330: the rest in 5.7 s
  CHECK(firsts(board) == "a");
  CHECK(choice_of(board).ttl == 5);
  CHECK(board.explain(0, at(20)).families[0].ttl_reason == "a faster server may take over then");
}

TEST_CASE("the TTL is never less than ttl_min, however near the change is", "[score][ttl]") {
  fixture given(3, policy::all);
  given.usual.rules.ttl_min = 4s;
  scoreboard board = given.board();
  measure(board);
  std::vector<std::string> servers;
  board.administer("a", {administrative::down, "ops", "disk", at(10), at(11)}, at(10), servers);
  CHECK(choice_of(board).ttl == 4);
}

TEST_CASE("the TTL leaves failures of a server alone that an operator forced up", "[score][ttl]") {
  scoreboard board = fixture(3, policy::all).board();
  measure(board);
  std::vector<std::string> servers;
  board.administer("a", {administrative::up, "ops", "disk", at(5), std::nullopt}, at(5), servers);
  board.add(0, bad(10));
  CHECK(whole(board) == "abc");
  CHECK(choice_of(board).ttl == 20);
}

TEST_CASE("a server that comes up shortens the TTL only where it would serve at once", "[score][ttl]") {
  SECTION("failover: before who serves, not behind") {
    scoreboard board = fixture(3, policy::failover).board();
    measure(board);
    kill(board, 2, 10);
    board.add(2, ok(15, 90));
    CHECK(choice_of(board).ttl == 20);
    kill(board, 0, 16);
    board.add(0, ok(20, 50));
    CHECK(firsts(board) == "b");
    CHECK(choice_of(board).ttl == 10);
  }
  SECTION("latency: it has to earn its place first") {
    scoreboard board = fixture().board();
    measure(board);
    kill(board, 1, 10);
    board.add(1, ok(15, 20));
    CHECK(firsts(board) == "a");
    CHECK(choice_of(board).ttl == 20);
  }
}

TEST_CASE("an address with two checks is failing while one of them is", "[score][ttl]") {
  fixture given(2, policy::all);
  given.targets.push_back(given.targets[0]);
  given.targets[2].key = given.targets[2].label = "a/dns";
  given.usual.families[0].addresses[0].targets = {0, 2};
  for (const std::size_t ill : {0u, 2u}) {
    scoreboard board = given.board();
    for (const std::size_t t : {0u, 1u, 2u}) board.add(t, ok(0, 10));
    CHECK(choice_of(board).ttl == 20);
    board.add(ill, bad(10));
    CHECK(whole(board) == "ab");
    CHECK(choice_of(board).ttl == 3);
  }
}

}  // namespace
}  // namespace nearside::score
