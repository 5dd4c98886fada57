// SPDX-License-Identifier: BSD-2-Clause
// Policies and all-down, through the scoreboard that the agent uses.
#include <boost/json/array.hpp>
#include <catch2/catch.hpp>

#include "agent/score/trace_json.hpp"
#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

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

TEST_CASE("the stale answer is all servers in rotation with ttl_min", "[score][stale]") {
  const auto made = stale_choice(fixture().usual);
  CHECK(made.families[0].alternatives.size() == 3);
  CHECK(made.families[0].alternatives[1].order == std::vector<std::uint8_t>{1, 2, 0});
  CHECK(made.families[0].ttl == 3);
  CHECK(made.families[1].what == dns::choice::kind::nodata);
}

TEST_CASE("an answer has as many addresses as are wanted, by each policy", "[score][policy]") {
  for (const policy how :
       {policy::all, policy::latency, policy::failover, policy::weighted, policy::spread, policy::hash}) {
    fixture given(3, how);
    given.usual.rules.addresses = 2;
    given.usual.rules.within = ms(100);
    scoreboard board = given.board();
    measure(board);
    CAPTURE(text_of(how));
    for (const dns::alternative& a : choice_of(board).alternatives) CHECK(a.order.size() == 2);
  }
}

TEST_CASE("failover lists the next ones in their order behind the first", "[score][policy]") {
  fixture given(3, policy::failover);
  given.usual.rules.addresses = 3;
  given.usual.members[0].priority = 3;
  scoreboard board = given.board();
  measure(board);
  CHECK(whole(board) == "bca");
}

TEST_CASE("spread takes those within a tenth of the best, and nobody for having stood in without a result",
          "[score][policy]") {
  scoreboard board = fixture(3, policy::spread).board();
  CHECK(firsts(board) == "abc");
  board.add(0, ok(0, 21.9));
  board.add(1, ok(0, 20));
  board.add(2, ok(0, 22.3));
  CHECK(firsts(board) == "ab");
}

TEST_CASE("hash gives a server clients by its weight", "[score][policy]") {
  fixture given(2, policy::hash);
  given.usual.members[0].weight = 3;
  scoreboard board = given.board();
  measure(board, 2);
  CHECK(share_of(choice_of(board).alternatives, 0) == Approx(0.75).margin(0.05));
}

TEST_CASE("latency does not wait for the first result of a server that an operator took out", "[score][policy]") {
  fixture given;
  given.latency.smoothing = 0s;
  scoreboard board = given.board();
  std::vector<std::string> servers;
  board.administer("c", {administrative::down, "ops", "disk", at(0), std::nullopt}, at(0), servers);
  board.add(0, ok(0.1, 25));
  board.add(1, ok(0.2, 20));
  CHECK(firsts(board) == "b");
  board.add(0, ok(1, 15));  // 5 ms better: it has to earn its place now
  CHECK(firsts(board) == "b");
}

TEST_CASE("a family that has fallbacks alone answers with them when all is down, else NODATA", "[score][all_down]") {
  fixture given;
  given.usual.rules.all_down = all_down_rule::fallback;
  given.usual.families[1].fallbacks = 1;
  scoreboard board = given.board();
  measure(board);
  CHECK(choice_of(board, 1).what == dns::choice::kind::nodata);
  for (std::size_t t = 0; t < 3; ++t) kill(board, t, 10.0 + static_cast<double>(t));
  CHECK(firsts(board, 1) == "a");
  CHECK(choice_of(board, 0).what == dns::choice::kind::nodata);
  CHECK(board.explain(0, at(20)).families[0].outcome == "all down, and no fallback of this family: NODATA");
}

TEST_CASE("the trace has the shares, the evidence and what was decided", "[score][trace]") {
  fixture given;
  given.with_ipv6();
  given.latency.smoothing = 0s;
  scoreboard board = given.board();
  CHECK(board.explain(0, at(0)).families[0].outcome == "nothing is up yet: servers without a result stand in");
  measure(board);
  for (std::size_t t = 3; t < 6; ++t) kill(board, t, 1);
  const trace told = board.explain(0, at(10));
  CHECK(told.families[0].outcome == "policy latency among 3 eligible");
  CHECK(told.families[1].outcome == "no server of this family is eligible, one of the other is: NODATA");
  CHECK(verdict_of(told, "b").share == 1);
  CHECK(verdict_of(told, "b").rule.empty());
  CHECK(verdict_of(told, "a").share == 0);
  CHECK(verdict_of(told, "a").rule == "policy");
  CHECK(verdict_of(told, "a").evidence == 0);
  for (double now = 11; now < 15; ++now) board.add(1, ok(now, 60));
  CHECK(verdict_of(board.explain(0, at(15)), "a").evidence > 0);
}

TEST_CASE("the trace as JSON has every figure of a candidate", "[score][trace]") {
  fixture given(2, policy::failover);
  scoreboard board = given.board();
  board.add(0, ok(0, 50));
  board.add(1, ok(0, 20));
  kill(board, 0, 10);
  board.add(0, ok(15, 50));
  std::vector<std::string> servers;
  board.administer("a", {administrative::down, "ops", "disk", at(16), at(76)}, at(16), servers);
  const auto told = to_json(board.pools()[0], board.explain(0, at(17)), board.choices()->front());
  CHECK(told.at("policy") == "failover");
  const auto& family = told.at("families").as_object().at("ipv4").as_object();
  CHECK_FALSE(told.at("families").as_object().contains("ipv6"));
  CHECK(family.at("ttl").to_number<int>() == 20);
  CHECK(family.at("prepared_answers").to_number<int>() == 1);
  CHECK(family.at("drawn") == "at random");
  const auto& a = family.at("candidates").as_array().at(0).as_object();
  CHECK(a.at("server") == "a");
  CHECK_FALSE(a.at("answered").as_bool());
  CHECK(a.at("rule") == "forced_down");
  CHECK(a.at("state") == "down");
  CHECK_FALSE(a.at("failing").as_bool());
  CHECK_FALSE(a.at("remembered").as_bool());
  CHECK(a.at("missing_successes").to_number<int>() == 3);
  CHECK(a.at("administrative").as_object().at("state") == "down");
  CHECK(a.at("administrative").as_object().at("ends_in_s").to_number<double>() == 59);
  CHECK(a.at("expected_ms").to_number<double>() ==
        Approx(a.at("first_byte_ms").to_number<double>() + a.at("penalty_ms").to_number<double>()).margin(0.002));
  CHECK(a.at("penalty_ms").to_number<double>() > 0);
  CHECK(a.at("srtt_ms").to_number<double>() == 50);
  CHECK(a.at("rttvar_ms").to_number<double>() == 18.75);
  CHECK(a.at("loss").to_number<double>() == 0.5);
  CHECK(a.at("age_s").to_number<double>() == 2);
  CHECK(a.at("evidence_ms_s").to_number<double>() == 0);
  const auto& b = family.at("candidates").as_array().at(1).as_object();
  CHECK(b.at("answered").as_bool());
  CHECK(b.at("share").to_number<double>() == 1);
  CHECK(b.at("administrative").is_null());
}

TEST_CASE("the trace as JSON tells what is failing, remembered, gaining or not checked", "[score][trace]") {
  fixture given(2);
  given.latency.smoothing = 0s;
  scoreboard before = given.board();
  before.add(0, ok(0, 20));
  before.add(1, ok(0, 30));
  scoreboard board = given.board(before.remember(at(0)));
  for (const double now : {2.0, 12.0}) board.add(1, ok(now, 10));
  board.add(1, bad(12));
  const auto of = [](const scoreboard& b, std::size_t candidate) {
    const auto told = to_json(b.pools()[0], b.explain(0, at(12)), b.choices()->front());
    return told.at("families").at("ipv4").at("candidates").at(candidate).as_object();
  };
  CHECK(of(board, 0).at("remembered").as_bool());
  CHECK_FALSE(of(board, 1).at("remembered").as_bool());
  CHECK(of(board, 1).at("failing").as_bool());
  CHECK(of(board, 1).at("evidence_ms_s").to_number<double>() > 0);
  fixture plain(1, policy::all);
  plain.usual.families[0].addresses[0].targets.clear();
  CHECK(of(plain.board(), 0).at("state") == "not checked");
}

}  // namespace
}  // namespace nearside::score
