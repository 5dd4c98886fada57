// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/own_report.hpp"

#include <catch2/catch.hpp>

#include "agent/dns/rr_type.hpp"
#include "unit/score/fixture.hpp"

namespace nearside::registration {
namespace {

using mapping::report;
using score::at;
using strings = std::vector<std::string>;

const std::vector<strings> usual_names{{"www.lb.example."}};

/// A zone whose names n0, n1, ... are balanced, each over the pool that stands there.
dns::zone_set zones_with(const std::vector<std::uint32_t>& pools) {
  const auto apex = dns::name::from_text("lb.example").value();
  dns::zone made(apex);
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const auto owner = dns::name::from_text("N" + std::to_string(i), apex).value();
    REQUIRE(made.add(owner, dns::rr_type::a, 20, {192, 0, 2, static_cast<std::uint8_t>(i)}).has_value());
    made.balance(owner, pools[i]);
  }
  dns::zone_set all;
  REQUIRE(all.add(std::move(made)).has_value());
  return all;
}

}  // namespace

TEST_CASE("a report has each server's state and figures, and the one that is answered", "[registration][report]") {
  score::fixture given;
  auto board = given.board();
  score::measure(board);
  score::kill(board, 2, 1);
  const report told = own_report(board, usual_names, at(3));
  CHECK(told.servers == strings{"a", "b", "c"});
  REQUIRE(told.figures.size() == 3);
  CHECK(told.figures[0].state == "up");
  CHECK(told.figures[0].family == 4);
  CHECK(told.figures[0].rtt_ms == 50.0);
  CHECK(told.figures[0].age_s == 3.0);
  CHECK(told.figures[1].rtt_ms == 20.0);
  CHECK(told.figures[2].state == "down");
  CHECK(told.figures[2].loss > 0);
  REQUIRE(told.answers.size() == 1);
  CHECK(told.answers[0].names == strings{"www.lb.example."});
  CHECK(told.answers[0].family == 4);
  CHECK(told.answers[0].rank == std::vector<std::uint32_t>{1});
  CHECK(told.answers[0].shares.empty());
  CHECK(told.answers[0].ttl == score::choice_of(board).ttl);
}

TEST_CASE("a report tells how often each server stands first, the most frequent first", "[registration][report]") {
  score::fixture given(2, score::policy::weighted);
  given.usual.members[0].weight = 1;
  given.usual.members[1].weight = 3;
  auto board = given.board();
  score::measure(board, 2);
  const report told = own_report(board, usual_names, at(3));
  REQUIRE(told.answers.size() == 1);
  CHECK(told.answers[0].rank == std::vector<std::uint32_t>{1, 0});
  CHECK(told.answers[0].shares == std::vector<std::uint32_t>{750, 250});
}

TEST_CASE("a family without an eligible server is reported as NODATA", "[registration][report]") {
  score::fixture given(1);
  given.with_ipv6();
  auto board = given.board();
  board.add(0, score::ok(1, 20));
  score::kill(board, 1, 1);
  const report told = own_report(board, usual_names, at(3));
  REQUIRE(told.answers.size() == 2);
  CHECK(told.answers[0].rank == std::vector<std::uint32_t>{0});
  CHECK(told.answers[1].family == 6);
  CHECK(told.answers[1].rank.empty());
}

TEST_CASE("what an edge cannot answer well it does not report: SERVFAIL, and fallbacks alone",
          "[registration][report]") {
  for (const auto rule : {score::all_down_rule::servfail, score::all_down_rule::fallback}) {
    score::fixture given(1);
    given.usual.rules.all_down = rule;
    given.usual.families[0].fallbacks = 1;
    auto board = given.board();
    score::kill(board, 0, 1);
    const report told = own_report(board, usual_names, at(3));
    CHECK(told.answers.empty());
    CHECK(told.figures.size() == 1);
  }
}

TEST_CASE("pools without names to report are not answered for", "[registration][report]") {
  score::fixture given;
  auto board = given.board();
  score::measure(board);
  CHECK(own_report(board, {{}}, at(3)).answers.empty());
}

TEST_CASE("the names of a pool are told in lower case, and in their order", "[registration][report]") {
  const auto zones = zones_with({1, 0, 1});
  CHECK(names_of_pools(zones, 2) == std::vector<strings>{{"n1.lb.example."}, {"n0.lb.example.", "n2.lb.example."}});
}

TEST_CASE("each pool has a name in the report before any has a second", "[registration][report]") {
  std::vector<std::uint32_t> pools(mapping::most_report_names + 100, 0);
  pools.back() = 1;
  const auto names = names_of_pools(zones_with(pools), 2);
  CHECK(names[0].size() == mapping::most_report_names - 1);
  CHECK(names[1].size() == 1);
}

}  // namespace nearside::registration
