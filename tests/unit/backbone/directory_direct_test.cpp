// SPDX-License-Identifier: BSD-2-Clause
// What the backbone answers in the edges' stead: by their reports, by ECS, and when it does so in mode auto.
#include "fixture.hpp"

namespace nearside::backbone {

// ---- direct ----

TEST_CASE_METHOD(two_edges, "two resolvers get opposite answers by the reports of their edges", "[backbone][direct]") {
  report(1, {0, 1, 2});
  report(2, {2, 1, 0});
  const auto one = ask("far.lb.example.com", "198.51.100.1");
  CHECK(one.aa);
  CHECK(one.answer == strings{"far.lb.example.com. 5 A 203.0.113.80"});
  CHECK(told("far.lb.example.com", "198.51.100.2") == strings{"!203.0.113.82"});
}

TEST_CASE_METHOD(two_edges, "an answer has no longer a TTL than the name's", "[backbone][direct]") {
  report(1, {1}, 3600);
  CHECK(ask("far.lb.example.com", "198.51.100.1").answer == strings{"far.lb.example.com. 10 A 203.0.113.81"});
  report(1, {1}, 0);
  CHECK(ask("far.lb.example.com", "198.51.100.1").answer == strings{"far.lb.example.com. 1 A 203.0.113.81"});
}

TEST_CASE_METHOD(two_edges, "a report that is too old is not used: the next edge's is", "[backbone][direct]") {
  report(1, {0});
  now += 59s;
  report(2, {1});
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"!203.0.113.80"});
  now += 2s;
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"!203.0.113.81"});
}

TEST_CASE_METHOD(two_edges, "without a fresh report the name is referred", "[backbone][direct]") {
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
  report(1, {0});
  now += 61s;
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
}

TEST_CASE_METHOD(two_edges, "a report of other names says nothing of this one", "[backbone][direct]") {
  report(1, {{"fra1"}, {}, {{{"other.lb.example.com."}, 4, 5, {0}}}});
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
}

TEST_CASE_METHOD(two_edges, "servers that are not the name's are left out of an answer", "[backbone][direct]") {
  report(1, {{"gone1", "lon1"}, {}, {{{"far.lb.example.com."}, 4, 5, {0, 1}}}});
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"!203.0.113.82"});
  report(1, {{"gone1"}, {}, {{{"far.lb.example.com."}, 4, 5, {0}}}});
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
}

TEST_CASE_METHOD(two_edges, "servers stand first as often as the report says", "[backbone][direct]") {
  report(1, {{"fra1", "lon1"}, {}, {{{"far.lb.example.com."}, 4, 5, {0, 1}, {750, 250}}}});
  std::map<strings, int> seen;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    random = i * 4'294'967U;
    ++seen[told("far.lb.example.com", "198.51.100.1")];
  }
  REQUIRE(seen.size() == 2);
  CHECK(std::abs(seen.begin()->second - 750) <= 2);
}

TEST_CASE_METHOD(two_edges, "an empty rank is NODATA with the zone's SOA, scope 0", "[backbone][direct]") {
  row("203.0.113.0/24", {1});
  report(1, {{"fra1"}, {}, {{{"far.lb.example.com."}, 4, 5, {}}}});
  const auto r = ask(with_subnet("far.lb.example.com", "203.0.113.0/24"), "198.51.100.1");
  CHECK(r.code == 0);
  CHECK(r.answer.empty());
  REQUIRE(r.authority.size() == 1);
  CHECK(r.authority[0].find("lb.example.com. 30 SOA") == 0);
  CHECK(scope_of(r) == 0);
}

TEST_CASE_METHOD(two_edges, "a family that the report does not speak of has all of its servers", "[backbone][direct]") {
  report(1, {1});
  CHECK(told(ask("far.lb.example.com", "198.51.100.1", dns::rr_type::aaaa)) == strings{"!2001:db8::80"});
}

TEST_CASE_METHOD(two_edges, "both families are answered by the report", "[backbone][direct]") {
  report(1, {{"fra1", "ams1"}, {}, {{{"far.lb.example.com."}, 4, 5, {1}}, {{"far.lb.example.com."}, 6, 5, {0}}}});
  CHECK(told(ask("far.lb.example.com", "198.51.100.1", dns::rr_type::a)) == strings{"!203.0.113.81"});
  CHECK(told(ask("far.lb.example.com", "198.51.100.1", dns::rr_type::aaaa)) == strings{"!2001:db8::80"});
}

TEST_CASE_METHOD(two_edges, "an edge that has withdrawn does not speak for its resolver", "[backbone][direct]") {
  report(1, {0});
  report(2, {2});
  REQUIRE(done(book.book.withdraw(mapping::certificate(1), name_of(1), ++book.sequence, now)));
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"!203.0.113.82"});
}

TEST_CASE_METHOD(two_edges, "a newer report counts from the moment it is taken", "[backbone][direct]") {
  report(1, {0});
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"!203.0.113.80"});
  report(1, {2});
  CHECK(told("far.lb.example.com", "198.51.100.1") == strings{"!203.0.113.82"});
}

// ---- ECS in direct answers ----

TEST_CASE_METHOD(two_edges, "the client's prefix decides a direct answer, with the row's length as scope",
                 "[backbone][direct][ecs]") {
  report(1, {0});
  report(2, {2});
  row("203.0.112.0/20", {2});
  const auto r = ask(with_subnet("far.lb.example.com", "203.0.113.0/24"), "198.51.100.1");
  CHECK(told(r) == strings{"!203.0.113.82"});
  CHECK(scope_of(r) == 20);
}

TEST_CASE_METHOD(two_edges, "of a client's prefix no more than 24 bits count", "[backbone][direct][ecs]") {
  report(1, {0});
  report(2, {2});
  row("203.0.113.0/24", {2});
  row("203.0.113.9/32", {1});
  const auto r = ask(with_subnet("far.lb.example.com", "203.0.113.9/32"), "198.51.100.1");
  CHECK(told(r) == strings{"!203.0.113.82"});
  CHECK(scope_of(r) == 24);
}

TEST_CASE_METHOD(two_edges, "a prefix without a row is answered by the resolver's, for all that have none",
                 "[backbone][direct][ecs]") {
  report(1, {0});
  report(2, {2});
  const auto query = with_subnet("far.lb.example.com", "203.0.113.0/24");
  CHECK(told(ask(query, "198.51.100.1")) == strings{"!203.0.113.80"});
  CHECK(scope_of(ask(query, "198.51.100.1")) == 0);
  row("203.0.112.0/24", {2});
  CHECK(told(ask(query, "198.51.100.1")) == strings{"!203.0.113.80"});
  CHECK(scope_of(ask(query, "198.51.100.1")) == 24);
}

TEST_CASE_METHOD(two_edges, "SOURCE 0 leaves the answer to the resolver's row", "[backbone][direct][ecs]") {
  report(1, {0});
  report(2, {2});
  row("0.0.0.0/0", {2});
  const auto r = ask(with_subnet("far.lb.example.com", "0.0.0.0/0"), "198.51.100.1");
  CHECK(told(r) == strings{"!203.0.113.80"});
  CHECK(scope_of(r) == 0);
}

TEST_CASE_METHOD(two_edges, "where the prefix's edges are silent the resolver's speak", "[backbone][direct][ecs]") {
  report(1, {0});
  edge(3);
  row("203.0.113.0/24", {3});
  const auto r = ask(with_subnet("far.lb.example.com", "203.0.113.0/24"), "198.51.100.1");
  CHECK(told(r) == strings{"!203.0.113.80"});
  CHECK(scope_of(r) == 24);
}

// ---- auto ----

TEST_CASE_METHOD(two_edges, "auto refers where the nearest edge is alive", "[backbone][auto]") {
  report(1, {0});
  CHECK(told("www.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
  CHECK(told("www.lb.example.com", "203.0.113.9").size() == 2);
}

TEST_CASE_METHOD(two_edges, "auto answers directly where the nearest edge is not alive", "[backbone][auto]") {
  report(1, {1, 0});
  kill(1);
  const auto r = ask("www.lb.example.com", "198.51.100.1");
  CHECK(r.aa);
  CHECK(told(r) == strings{"!203.0.113.81", "!203.0.113.80"});
  now += 61s;
  CHECK(told("www.lb.example.com", "198.51.100.1") == strings{"e2"});
}

TEST_CASE_METHOD(two_edges, "auto answers directly where ECS tells more than the resolver's address",
                 "[backbone][auto][ecs]") {
  report(2, {2});
  row("203.0.113.0/24", {2});
  const auto r = ask(with_subnet("www.lb.example.com", "203.0.113.0/24"), "198.51.100.1");
  CHECK(r.aa);
  CHECK(told(r) == strings{"!203.0.113.82"});
  CHECK(scope_of(r) == 24);
}

TEST_CASE_METHOD(two_edges, "auto refers where ECS tells nothing more", "[backbone][auto][ecs]") {
  report(1, {0});
  report(2, {2});
  row("203.0.112.0/24", {1, 2});
  for (const std::string prefix : {"0.0.0.0/0", "203.0.112.0/24", "203.0.115.0/24"}) {
    CAPTURE(prefix);
    const auto r = ask(with_subnet("www.lb.example.com", prefix), "198.51.100.1");
    CHECK(told(r) == strings{"e1", "e2"});
    CHECK(scope_of(r) == 0);
  }
}

TEST_CASE_METHOD(two_edges, "auto without a fresh report refers to whoever lives", "[backbone][auto]") {
  row("203.0.113.0/24", {2});
  CHECK(told(ask(with_subnet("www.lb.example.com", "203.0.113.0/24"), "198.51.100.1")) == strings{"e1", "e2"});
  kill(1);
  CHECK(told("www.lb.example.com", "198.51.100.1") == strings{"e2"});
}

}  // namespace nearside::backbone
