// SPDX-License-Identifier: BSD-2-Clause
// EDNS and its options, in the query and in the reply (RFC 6891, RFC 7871, RFC 5001).
#include "fixture.hpp"

namespace nearside::dns {

namespace {

const octets subnet4{0, 1, 24, 0, 192, 0, 2};
reply with(const octets& options) { return ask(query_builder("one.lb.example", rr_type::a).opt(options)); }
octets join(octets a, const octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("a query with OPT gets one: size 1232, version 0, DO echoed", "[dns][edns][rfc6891]") {
  const query_builder q = query_builder("one.lb.example", rr_type::a).opt({}, 4096, 0, true);
  const auto r = ask(q);
  CHECK(octets(r.wire.end() - 11, r.wire.end()) == octets{0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0});
  CHECK(r.wire[11] == 1);
  CHECK_FALSE(ask(query_builder("one.lb.example", rr_type::a)).has_opt);
}

TEST_CASE("a later EDNS version is BADVERS with the question echoed", "[dns][edns][rfc6891]") {
  const auto r = ask(query_builder("one.lb.example", rr_type::a).opt({1, 2, 3}, 1232, 1));
  CHECK(r.code == 16);
  CHECK(r.has_question());
  CHECK(r.answer.empty());
  CHECK_FALSE(r.aa);
}

TEST_CASE("unknown options and a COOKIE are ignored", "[dns][edns][rfc6891]") {
  const auto r = with(join(option(10, {1, 2, 3, 4, 5, 6, 7, 8}), option(65001, {1})));
  CHECK(r.code == 0);
  CHECK(r.options.empty());
}

TEST_CASE("two OPTs, an OPT below the root or outside ADDITIONAL, and overrunning options are FORMERR without OPT",
          "[dns][edns][rfc6891]") {
  const auto refused = [](const octets& message) {
    const auto r = ask(usual_zones(), message);
    return r.code == 1 && !r.has_opt && r.has_question();
  };
  CHECK(refused(query_builder("one.lb.example", rr_type::a).opt().opt().message));
  CHECK(refused(query_builder("one.lb.example", rr_type::a).opt({0, 10, 0, 9, 1}).message));
  CHECK(refused(query_builder("one.lb.example", rr_type::a).opt({0, 10, 0}).message));
  auto below = query_builder("one.lb.example", rr_type::a).opt().message;
  const auto root = below.end() - 11;
  *root = 'a';
  below.insert(root, 1);
  below.insert(below.end() - 10, 0);
  CHECK(refused(below));
  auto elsewhere = query_builder("one.lb.example", rr_type::a).opt().message;
  std::swap(elsewhere[11], elsewhere[9]);
  CHECK(refused(elsewhere));
}

TEST_CASE("a client subnet is echoed with scope 0, in negative answers too", "[dns][edns][rfc7871]") {
  CHECK(with(option(8, subnet4)).options == option(8, subnet4));
  const octets subnet6{0, 2, 33, 0, 0x20, 0x01, 0x0d, 0xb8, 0x80};
  CHECK(with(option(8, subnet6)).options == option(8, subnet6));
  CHECK(with(option(8, {0, 1, 0, 0})).options == option(8, {0, 1, 0, 0}));
  CHECK(with(option(8, {0, 0, 0, 0})).options == option(8, {0, 0, 0, 0}));
  CHECK(ask(query_builder("missing.lb.example", rr_type::a).opt(option(8, subnet4))).options == option(8, subnet4));
}

TEST_CASE("a malformed client subnet is FORMERR with a plain OPT", "[dns][edns][rfc7871]") {
  const std::vector<octets> bad{
      {0, 1, 24, 0, 192, 0},         // too short for SOURCE
      {0, 1, 24, 0, 192, 0, 2, 1},   // too long
      {0, 1, 23, 0, 192, 0, 3},      // a bit beyond SOURCE
      {0, 1, 24, 24, 192, 0, 2},     // SCOPE in a query
      {0, 1, 33, 0, 1, 2, 3, 4, 0},  // SOURCE beyond the address
      {0, 3, 0, 0},                  // a family that nobody knows
      {0, 0, 8, 0, 1},               // family 0 with an address
      {0, 1, 24},
  };
  for (const octets& value : bad) {
    const auto r = with(option(8, value));
    CHECK(r.code == 1);
    CHECK(r.has_opt);
    CHECK(r.options.empty());
    CHECK(r.has_question());
  }
  CHECK(with(join(option(8, subnet4), option(8, subnet4))).code == 1);
}

TEST_CASE("NSID is told when asked for, behind the client subnet", "[dns][edns][rfc5001]") {
  CHECK(with(join(option(3, {}), option(8, subnet4))).options == join(option(8, subnet4), option(3, {'e', '1', '7'})));
  const auto unnamed = take_apart(
      respond(usual_zones(), {}, {}, query_builder("lb.example", rr_type::soa).opt(option(3, {})).message, {}));
  CHECK(unnamed.has_opt);
  CHECK(unnamed.options.empty());
}

TEST_CASE("a refusal carries OPT and its options like any reply", "[dns][edns]") {
  const auto r = ask(query_builder("example.net", rr_type::a).opt(join(option(3, {}), option(8, subnet4))));
  CHECK(r.code == 5);
  CHECK(r.options == join(option(8, subnet4), option(3, {'e', '1', '7'})));
}

TEST_CASE("a truncated reply keeps its OPT and options", "[dns][edns]") {
  std::string records = usual_records;
  for (int i = 0; i < 60; ++i) records += "many A 10.0.0." + std::to_string(i) + "\n";
  zone_set zones;
  zones.add(zone_of("lb.example.", records)).value();
  const auto r = ask(zones, query_builder("many.lb.example", rr_type::a).opt(option(8, subnet4), 512).message);
  CHECK(r.tc);
  CHECK(r.options == option(8, subnet4));
}

}  // namespace nearside::dns
