// SPDX-License-Identifier: BSD-2-Clause
// What lasts: operators' orders, answers given out, and what an earlier agent knew.
#include <catch2/catch.hpp>

#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

order_of_operator said(administrative state, double since, std::optional<double> until = std::nullopt) {
  order_of_operator order{state, "ops", "disk", at(since), std::nullopt};
  if (until) order.until = at(*until);
  return order;
}

TEST_CASE("an operator's order overrules what is measured, by glob, until it ends", "[score][administration]") {
  scoreboard board = fixture(3, policy::all).board();
  measure(board);
  std::vector<std::string> servers;
  CHECK(board.administer("[ab]", said(administrative::drain, 10, 70), at(10), servers).pools.size() == 1);
  CHECK(servers == std::vector<std::string>{"a", "b"});
  CHECK(whole(board) == "c");
  CHECK(*board.next_expiry(at(10)) == at(50));
  CHECK(board.explain(0, at(20)).families[0].verdicts[0].rule == "drained");
  board.expire(at(69));
  CHECK(whole(board) == "c");
  CHECK(board.expire(at(70)).pools.size() == 1);
  CHECK(whole(board) == "abc");
}

TEST_CASE("forced up serves though it is down; released, it is down again", "[score][administration]") {
  scoreboard board = fixture(2, policy::failover).board();
  for (const double now : {1.0, 2.0}) board.add(0, bad(now));
  board.add(1, ok(3, 20));
  std::vector<std::string> servers;
  board.administer("a", said(administrative::up, 4), at(4), servers);
  CHECK(firsts(board) == "a");
  board.administer("a", said(administrative::none, 5), at(5), servers);
  CHECK(firsts(board) == "b");
}

TEST_CASE("the TTL of a pool that nothing measures shortens too while an order is about to end",
          "[score][administration]") {
  fixture given(2, policy::all);
  for (auto& address : given.usual.families[0].addresses) address.targets.clear();
  scoreboard board = given.board();
  std::vector<std::string> servers;
  board.administer("a", said(administrative::down, 0, 100), at(0), servers);
  CHECK(choice_of(board).ttl == 20);
  CHECK(*board.next_expiry(at(0)) == at(80));
  board.expire(at(90));
  CHECK(choice_of(board).ttl == 9);  // until it is looked at again, answers run out at 100 at the latest
  CHECK(*board.next_expiry(at(90)) == at(91));
}

TEST_CASE("what one scoreboard of a process knows goes over whole: windows, limits and evidence", "[score][memory]") {
  fixture given(2, policy::all);
  given.usual.rules.maximum_loss = 0.2;
  memory known;
  {
    scoreboard before = given.board();
    for (int i = 0; i < 20; ++i) {
      before.add(0, i % 3 == 0 ? bad(i) : ok(i, 20));
      before.add(1, ok(i, 20));
    }
    REQUIRE(whole(before) == "b");
    known = before.hand_over(at(20));
  }
  CHECK(whole(given.board(known)) == "b");
}

TEST_CASE("the TTL ends with an order that ends", "[score][administration]") {
  scoreboard board = fixture(3, policy::all).board();
  measure(board);
  std::vector<std::string> servers;
  board.administer("a", said(administrative::down, 10, 17), at(10), servers);
  CHECK(choice_of(board).ttl == 6);
}

TEST_CASE("what an operator took out stays out of an answer with all servers", "[score][administration]") {
  scoreboard board = fixture(3, policy::all).board();
  measure(board);
  std::vector<std::string> servers;
  board.administer("a", said(administrative::down, 5), at(5), servers);
  for (const std::size_t t : {1u, 2u})
    for (const double now : {10.0, 11.0}) board.add(t, bad(now));
  CHECK(whole(board) == "bc");
  board.administer("a", said(administrative::drain, 12), at(12), servers);
  CHECK(whole(board) == "bc");
  board.administer("*", said(administrative::down, 20), at(20), servers);
  CHECK(whole(board) == "abc");
}

TEST_CASE("answers given out with a server run out by the longest TTL that was told", "[score][drain]") {
  scoreboard board = fixture(3).board();
  measure(board);
  CHECK(board.answered() == std::set<std::string>{"b"});
  board.add(1, bad(100));  // from now on TTL 3, but those of 20 s are still kept
  CHECK(*board.answers_end("b") == at(120));
  board.add(1, bad(100.5));  // down: b leaves the answers
  CHECK(board.answered() == std::set<std::string>{"a"});
  CHECK(*board.answers_end("b") == at(120));
  CHECK_FALSE(board.answers_end("c"));
}

TEST_CASE("a scoreboard that is told what an earlier one knew decides as that one did", "[score][memory]") {
  fixture given(3);
  memory known;
  {
    scoreboard before = given.board();
    measure(before);
    for (const double now : {10.0, 10.2}) before.add(1, bad(now));
    std::vector<std::string> servers;
    before.administer("c", said(administrative::drain, 11), at(11), servers);
    CHECK(firsts(before) == "a");
    known = before.remember(at(12));
  }
  scoreboard after = given.board(known);
  CHECK(firsts(after) == "a");
  CHECK(choice_of(after).ttl == 20);
  CHECK(after.of(1).state.now() == standing::down);
  CHECK(after.of(1).remembered);
  CHECK(after.orders().find("c") != nullptr);
  CHECK(*after.answers_end("a") == at(32));
  after.add(1, ok(13, 20));
  CHECK_FALSE(after.of(1).remembered);
  CHECK(firsts(after) == "a");  // one success is not enough after a fall
}

TEST_CASE("who serves keeps serving over a restart though another one is a little faster", "[score][memory]") {
  const fixture given(2);
  memory known;
  {
    scoreboard before = given.board();
    before.add(0, ok(0, 20));
    before.add(1, ok(0, 21));
    before.add(1, ok(5, 10));  // faster now, but there is little evidence yet
    CHECK(firsts(before) == "a");
    known = before.remember(at(6));
  }
  CHECK(firsts(given.board(known)) == "a");
}

TEST_CASE("a target of several pools decides all of them at once", "[score][scoreboard]") {
  const fixture given(2, policy::failover);
  pool other = given.usual;
  other.key = "other";
  other.rules.how = policy::all;
  scoreboard board(given.targets, {given.usual, other}, given.latency, at(0));
  board.add(0, ok(0, 10));
  board.add(1, ok(0, 10));
  board.add(0, bad(1));
  CHECK(board.add(0, bad(2)).pools == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("an address with two checks is up only while both are", "[score][scoreboard]") {
  fixture given(2, policy::all);
  given.targets.push_back(given.targets[0]);
  given.targets[2].key = given.targets[2].label = "a/dns";
  given.usual.families[0].addresses[0].targets = {0, 2};
  scoreboard board = given.board();
  board.add(0, ok(0, 10));
  board.add(1, ok(0, 10));
  CHECK(whole(board) == "b");
  board.add(2, ok(0, 10));
  CHECK(whole(board) == "ab");
  board.add(0, bad(1));
  CHECK(choice_of(board).ttl == 3);  // one of the two is failing
  board.add(0, ok(2, 10));
  for (const double now : {3.0, 4.0}) board.add(2, bad(now));
  CHECK(whole(board) == "b");
}

TEST_CASE("of an address with two checks the first one's times count", "[score][scoreboard]") {
  fixture given(2);
  given.targets.push_back(given.targets[0]);
  given.targets[2].key = given.targets[2].label = "a/dns";
  given.usual.families[0].addresses[0].targets = {0, 2};
  scoreboard board = given.board();
  board.add(1, ok(0, 50));
  board.add(0, ok(0.1, 10));
  board.add(2, ok(0.2, 200));
  CHECK(firsts(board) == "a");
}

TEST_CASE("from a failure until it is up or down a target should settle soon", "[score][scoreboard]") {
  scoreboard board = fixture().board();
  CHECK_FALSE(board.add(0, ok(0, 10)).settle_soon);
  CHECK(board.add(0, bad(1)).settle_soon);
  CHECK_FALSE(board.add(0, bad(2)).settle_soon);  // down
  CHECK_FALSE(board.add(0, ok(3, 10)).settle_soon);
  CHECK(board.add(1, bad(1)).settle_soon);  // never measured before
  CHECK_FALSE(board.add(1, ok(2, 10)).settle_soon);
}

TEST_CASE("a target keeps the days of its certificate while samples come without one", "[score][scoreboard]") {
  scoreboard board = fixture().board();
  sample seen = ok(0, 10);
  seen.certificate_days = 29;
  board.add(0, seen);
  board.add(0, bad(1));
  CHECK(board.of(0).certificate_days == 29);
}

TEST_CASE("the server in use is known: with latency and failover the first one, else none", "[score][scoreboard]") {
  for (const policy how : {policy::latency, policy::failover, policy::all, policy::weighted}) {
    scoreboard board = fixture(3, how).board();
    measure(board);
    CAPTURE(text_of(how));
    CHECK(board.in_use(0) == (how == policy::failover));
    CHECK(board.in_use(1) == (how == policy::latency));
  }
  scoreboard board = fixture(2, policy::failover).board();
  measure(board, 2);
  board.add(0, bad(1));
  CHECK(board.add(0, bad(2)).in_use == std::vector<std::pair<std::size_t, bool>>{{1, true}, {0, false}});
}

TEST_CASE("what an operator said of a server that is no more can be released", "[score][administration]") {
  memory known;
  known.orders["gone"] = said(administrative::drain, 0);
  scoreboard board = fixture().board(known);
  std::vector<std::string> servers;
  board.administer("go*", said(administrative::down, 1), at(1), servers);
  CHECK(servers.empty());
  board.administer("go*", said(administrative::none, 1), at(1), servers);
  CHECK(servers == std::vector<std::string>{"gone"});
  CHECK(board.orders().all().empty());
}

TEST_CASE("the figures of an earlier scoreboard are gone on from", "[score][memory]") {
  const fixture given(2);
  memory known;
  {
    scoreboard before = given.board();
    for (const double now : {0.0, 1.0, 2.0}) before.add(0, ok(now, 50 + now));
    for (const double now : {3.0, 3.2}) before.add(0, bad(now, "http 503"));
    known = before.remember(at(4));
    const scoreboard after = given.board(known);
    const measured& kept = after.of(0);
    CHECK(kept.figures.smoothed() == before.of(0).figures.smoothed());
    CHECK(kept.figures.variation() == before.of(0).figures.variation());
    CHECK(kept.waiting.smoothed() == before.of(0).waiting.smoothed());
    CHECK(kept.waiting.deviation() == before.of(0).waiting.deviation());
    CHECK(kept.waiting.penalty() == before.of(0).waiting.penalty());
    CHECK(kept.state.since() == before.of(0).state.since());
    CHECK(kept.state.falls(at(4)) == 1);
    CHECK(kept.reason == "http 503");
  }
}

TEST_CASE("what an operator said has ended when it ended while no agent ran", "[score][administration]") {
  memory known;
  known.orders["a"] = said(administrative::down, -100, -1);
  const fixture given(2, policy::all);
  CHECK(given.board(known).orders().find("a") == nullptr);
}

TEST_CASE("evidence and counts in a row go over to another scoreboard of the process", "[score][memory]") {
  fixture given(2);
  given.latency.smoothing = 0s;
  scoreboard before = given.board();
  before.add(0, ok(0, 20));
  before.add(1, ok(0, 30));
  before.add(1, ok(1, 10));
  before.add(1, ok(11, 10));
  before.add(0, bad(11));
  const scoreboard after(given.targets, {given.usual}, given.latency, at(11), before.hand_over(at(11)));
  CHECK(after.of(0).state.failing());
  CHECK(verdict_of(after.explain(0, at(11)), "b").evidence == verdict_of(before.explain(0, at(11)), "b").evidence);
  CHECK(verdict_of(after.explain(0, at(11)), "b").evidence > 0);
}

TEST_CASE("answers that have run out are not kept for the next scoreboard", "[score][drain]") {
  memory known;
  known.answers_end["gone"] = at(5);
  const fixture given(2);
  CHECK(given.board(known).remember(at(4)).answers_end.contains("gone"));
  CHECK_FALSE(given.board(known).remember(at(5)).answers_end.contains("gone"));
}

TEST_CASE("a first failure goes over too, of a target that was neither up nor down yet", "[score][memory]") {
  const fixture given(2, policy::all);
  scoreboard before = given.board();
  before.add(1, ok(0, 20));
  before.add(0, bad(0));
  scoreboard after = given.board(before.hand_over(at(0.1)));
  after.add(0, bad(0.2));
  CHECK(after.of(0).state.now() == standing::down);
}

}  // namespace
}  // namespace nearside::score
