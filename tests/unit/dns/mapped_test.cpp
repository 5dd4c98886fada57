// SPDX-License-Identifier: BSD-2-Clause
// Mapped names at a backbone node: referrals, answers in the edges' stead, and what a zone may have of them.
#include "mapped_fixture.hpp"

namespace nearside::dns {

TEST_CASE("without a mapping a mapped name answers from its pool", "[dns][mapped]") {
  const backbone b;
  const auto r = ask(b.zones, all_servers, query_builder("www.lb.example.com", rr_type::a).message);
  CHECK(r.aa);
  CHECK(r.answer.size() == 3);
}

// ---- the referral ----

TEST_CASE_METHOD(backbone, "a mapped name is referred: NOERROR, AA=0, the NS of the cut, glue of both families",
                 "[dns][mapped]") {
  for (const unsigned qtype : {1U, 28U, 2U, 6U, 16U, 65U, 255U}) {
    CAPTURE(qtype);
    const auto r = ask("www.lb.example.com", qtype);
    CHECK(r.code == 0);
    CHECK_FALSE(r.aa);
    CHECK(r.answer.empty());
    CHECK(r.authority == usual_authority);
    CHECK(r.additional == usual_glue);
  }
}

TEST_CASE_METHOD(backbone, "below a mapped name there is the same referral", "[dns][mapped]") {
  const auto r = ask("a.b.WWW.lb.example.com", rr_type::mx);
  CHECK_FALSE(r.aa);
  CHECK(r.code == 0);
  CHECK(r.authority.size() == 3);
  CHECK(r.additional == usual_glue);
}

TEST_CASE_METHOD(backbone, "DS at a mapped name is the parent's NODATA, below it the referral", "[dns][mapped]") {
  const auto at = ask("www.lb.example.com", rr_type::ds);
  CHECK(at.aa);
  CHECK(at.authority == strings{parent_soa});
  CHECK(ask("a.www.lb.example.com", rr_type::ds).authority.size() == 3);
}

TEST_CASE_METHOD(backbone, "the mapping is told who asks, where, with which subnet, and what to draw by",
                 "[dns][mapped]") {
  ask(query_builder("www.lb.example.com", rr_type::a).opt(usual_subnet()), "192.0.2.9");
  CHECK(map.last.source == make_address("203.0.113.5"));
  CHECK(map.last.destination == make_address("192.0.2.9"));
  REQUIRE(map.last.subnet);
  CHECK(map.last.subnet->source_prefix == 24);
  CHECK(map.drawn.random == 0x1234);
}

TEST_CASE_METHOD(backbone, "ECS in a referral is echoed with scope 0", "[dns][mapped]") {
  const auto r = ask(query_builder("www.lb.example.com", rr_type::a).opt(usual_subnet()));
  CHECK(r.options == usual_subnet(0));
}

TEST_CASE_METHOD(backbone, "addresses of servers out of the zone are no glue", "[dns][mapped]") {
  for (const auto& line : ask("www.lb.example.com", rr_type::a).additional)
    CHECK(line.find("e9.") == std::string::npos);
}

TEST_CASE("what follows the question in a referral does not depend on the name", "[dns][mapped]") {
  const std::string records = parent_records + "a-longer-name A 192.0.2.80\n";
  zone z = parent_zone(records);
  z.map(name::from_text("a-longer-name.lb.example.com").value(), 8).value();
  zone_set zones;
  zones.add(std::move(z)).value();
  const fixed_mapping map(usual_referral());
  const auto behind = [&](std::string_view qname) {
    const query_builder q(qname, rr_type::a);
    return take_apart(respond(zones, {}, {}, q.message, {.map = &map})).behind(q);
  };
  CHECK(behind("www.lb.example.com") == behind("a-longer-name.lb.example.com"));
}

TEST_CASE_METHOD(backbone, "a referral whose glue does not fit has TC=1", "[dns][mapped]") {
  auto large = *usual_referral();
  for (int i = 0; i < 16; ++i)
    large.addresses.push_back(
        {name::from_text("e18.ns.lb.example.com").value(), addresses_of("2001:db8::" + std::to_string(i + 1))});
  map.says = std::make_shared<const referral>(large);
  CHECK(ask("www.lb.example.com", rr_type::a).tc);
  CHECK_FALSE(ask(query_builder("www.lb.example.com", rr_type::a).opt({}, 1232)).tc);
}

TEST_CASE_METHOD(backbone, "a CNAME in the zone leads to the referral, and AA speaks of the CNAME", "[dns][mapped]") {
  const auto r = ask("alias.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"alias.lb.example.com. 20 CNAME www.lb.example.com."});
  CHECK(r.authority == usual_authority);
  CHECK(r.additional == usual_glue);
}

// ---- in the edges' stead ----

TEST_CASE_METHOD(backbone, "a direct answer has AA=1 and the pool's records in the order decided", "[dns][mapped]") {
  map.answer_directly({2, 0});
  const auto r = ask("www.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"www.lb.example.com. 5 A 192.0.2.82", "www.lb.example.com. 5 A 192.0.2.80"});
  CHECK(r.authority.empty());
}

TEST_CASE_METHOD(backbone, "a direct answer has the scope decided, a negative one scope 0", "[dns][mapped]") {
  map.answer_directly({1}, 20);
  const auto with_subnet = [&](unsigned qtype) {
    return ask(query_builder("www.lb.example.com", qtype).opt(usual_subnet())).options;
  };
  CHECK(with_subnet(rr_type::a) == usual_subnet(20));
  CHECK(with_subnet(rr_type::aaaa) == usual_subnet(0));
  CHECK(with_subnet(rr_type::txt) == usual_subnet(0));
  CHECK(ask(query_builder("www.lb.example.com", rr_type::a).opt()).options.empty());
}

TEST_CASE_METHOD(backbone, "a direct answer through a CNAME has the scope decided", "[dns][mapped]") {
  map.answer_directly({1}, 20);
  const auto r = ask(query_builder("alias.lb.example.com", rr_type::a).opt(usual_subnet()));
  CHECK(r.answer.size() == 2);
  CHECK(r.options == usual_subnet(20));
  const auto no = ask(query_builder("alias.lb.example.com", rr_type::aaaa).opt(usual_subnet()));
  CHECK(no.options == usual_subnet(0));
}

TEST_CASE_METHOD(backbone, "other types of a name answered directly are NODATA with the zone's SOA", "[dns][mapped]") {
  map.answer_directly({1});
  for (const unsigned qtype : {28U, 2U, 6U, 16U, 65U, 43U}) {
    CAPTURE(qtype);
    const auto r = ask("www.lb.example.com", qtype);
    CHECK(r.aa);
    CHECK(r.code == 0);
    CHECK(r.answer.empty());
    CHECK(r.authority == strings{parent_soa});
  }
}

TEST_CASE_METHOD(backbone, "below a name answered directly is NXDOMAIN with the zone's SOA", "[dns][mapped]") {
  map.answer_directly({1});
  const auto r = ask("a.www.lb.example.com", rr_type::a);
  CHECK(r.code == 3);
  CHECK(r.authority == strings{parent_soa});
}

TEST_CASE_METHOD(backbone, "ANY of a name answered directly is its A RRset", "[dns][mapped]") {
  map.answer_directly({1});
  CHECK(ask("www.lb.example.com", rr_type::any).answer == strings{"www.lb.example.com. 5 A 192.0.2.81"});
}

TEST_CASE_METHOD(backbone, "a mapping that has nothing to say leaves the name to its pool", "[dns][mapped]") {
  map.says = direct_answer{};
  CHECK(ask("www.lb.example.com", rr_type::a).answer.size() == 3);
  map.says = std::shared_ptr<const referral>();
  CHECK(ask("www.lb.example.com", rr_type::a).answer.size() == 3);
}

TEST_CASE("a mapped name without servers that nobody can be referred for is SERVFAIL", "[dns][mapped]") {
  zone z = zone_of("lb.example.com.", "@ SOA b1.ns host 1 3600 600 86400 30\n@ NS b1.example.net.\n");
  z.map(name::from_text("www.lb.example.com").value(), www).value();
  z.check().value();
  zone_set zones;
  zones.add(std::move(z)).value();
  const fixed_mapping map(direct_answer{});
  const auto r = ask(zones, query_builder("www.lb.example.com", rr_type::a).message, {.map = &map});
  CHECK(r.code == 2);
  CHECK_FALSE(r.aa);
}

TEST_CASE_METHOD(backbone, "an order that does not fit the records is SERVFAIL", "[dns][mapped]") {
  map.answer_directly({9});
  CHECK(ask("www.lb.example.com", rr_type::a).code == 2);
}

// ---- answers of the mapping's own ----

TEST_CASE_METHOD(backbone, "an answer that the mapping makes comes before the zones", "[dns][mapped]") {
  made_answer made;
  made.answer.push_back({name::from_text("x.b1.who.lb.example.com").value(), addresses_of("203.0.113.5", 0)});
  map.made = std::make_shared<const made_answer>(made);
  const auto r = ask("x.b1.who.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"x.b1.who.lb.example.com. 0 A 203.0.113.5"});
  CHECK(ask("www.lb.example.com", rr_type::a).authority == usual_authority);
}

// ---- the zone ----

TEST_CASE("a mapped name is no apex, no wildcard, in no cut and has addresses alone", "[dns][zone]") {
  zone z = zone_of("lb.example.com.", parent_records);
  const auto refusal = [&](std::string_view text) { return z.map(name::from_text(text).value(), 1).error().message; };
  CHECK(refusal("lb.example.com") == "lb.example.com.: a zone cut lies below lb.example.com.");
  CHECK(refusal("www.example.com") == "www.example.com.: a zone cut lies below lb.example.com.");
  CHECK(refusal("*.lb.example.com") == "*.lb.example.com.: a wildcard cannot be a zone cut");
  CHECK(refusal("a.part.lb.example.com") == "a.part.lb.example.com.: lies in the delegation of part.lb.example.com.");
  CHECK(refusal("empty.lb.example.com") ==
        "empty.lb.example.com.: its servers answer for it, so it cannot have TXT records");
  z.map(name::from_text("new.lb.example.com").value(), 1).value();
  CHECK(refusal("a.new.lb.example.com") == "a.new.lb.example.com.: lies in the mapped name new.lb.example.com.");
}

TEST_CASE("nothing lies below a mapped name", "[dns][zone]") {
  zone z = zone_of("lb.example.com.", parent_records);
  z.map(name::from_text("ns.lb.example.com").value(), 1).value();
  CHECK(z.check().error().message ==
        "b1.ns.lb.example.com.: lies below the mapped name ns.lb.example.com., whose servers answer for it");
}

}  // namespace nearside::dns
