// SPDX-License-Identifier: BSD-2-Clause
// The servers of a cut: a backbone node in their stead, the names of registered edges, and an edge's apex.
#include "mapped_fixture.hpp"

namespace nearside::dns {

// ---- as a server of the cut ----

TEST_CASE_METHOD(backbone, "as the child: SOA and NS are the cut's own, NS as the parent gives them", "[dns][mapped]") {
  map.answer_directly({1}, 0, true);
  const auto soa = ask("www.lb.example.com", rr_type::soa);
  CHECK(soa.aa);
  CHECK(soa.answer ==
        strings{"www.lb.example.com. 300 SOA b1.ns.lb.example.com. host.lb.example.com. 1 3600 600 86400 30"});
  const auto ns = ask("www.lb.example.com", rr_type::ns);
  CHECK(ns.aa);
  CHECK(ns.answer == usual_authority);
  CHECK(ns.additional == usual_glue);
}

TEST_CASE_METHOD(backbone, "as the child: NODATA and NXDOMAIN have the cut's SOA", "[dns][mapped]") {
  map.answer_directly({1}, 0, true);
  for (const unsigned qtype : {28U, 16U}) CHECK(ask("www.lb.example.com", qtype).authority == strings{child_soa});
  const auto below = ask("a.www.lb.example.com", rr_type::a);
  CHECK(below.code == 3);
  CHECK(below.aa);
  CHECK(below.authority == strings{child_soa});
}

TEST_CASE_METHOD(backbone, "as the child: the addresses are answered as directly, DS is the parent's",
                 "[dns][mapped]") {
  map.answer_directly({1}, 0, true);
  CHECK(ask("www.lb.example.com", rr_type::a).answer == strings{"www.lb.example.com. 5 A 192.0.2.81"});
  CHECK(ask("www.lb.example.com", rr_type::any).answer == strings{"www.lb.example.com. 5 A 192.0.2.81"});
  CHECK(ask("www.lb.example.com", rr_type::ds).authority == strings{parent_soa});
}

TEST_CASE_METHOD(backbone, "as the child: ANY of a name without A has the NS", "[dns][mapped]") {
  map.says = direct_answer{pool_choice{}, 0, usual_referral()};
  CHECK(ask("www.lb.example.com", rr_type::any).answer == usual_authority);
  CHECK(ask("www.lb.example.com", rr_type::a).authority == strings{child_soa});
}

// ---- names of edges ----

TEST_CASE_METHOD(backbone, "the addresses of a registered edge are the zone's data", "[dns][mapped]") {
  map.register_edge("e17.ns.lb.example.com.", "198.51.100.17");
  const auto r = ask("E17.ns.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"E17.ns.lb.example.com. 60 A 198.51.100.17"});
  CHECK(ask("e17.ns.lb.example.com", rr_type::aaaa).authority == strings{parent_soa});
}

TEST_CASE_METHOD(backbone, "a name that no edge has is NXDOMAIN", "[dns][mapped]") {
  map.register_edge("e17.ns.lb.example.com.", "198.51.100.17");
  CHECK(ask("e18.ns.lb.example.com", rr_type::a).code == 3);
}

TEST_CASE_METHOD(backbone, "a name above a registered edge is there and has nothing (RFC 9156)", "[dns][mapped]") {
  CHECK(ask("pop.lb.example.com", rr_type::a).code == 3);
  map.register_edge("e1.ns.pop.lb.example.com.", "198.51.100.17");
  for (const std::string_view qname : {"pop.lb.example.com", "ns.pop.lb.example.com"}) {
    const auto r = ask(qname, rr_type::a);
    CHECK(r.code == 0);
    CHECK(r.aa);
    CHECK(r.authority == strings{parent_soa});
  }
}

TEST_CASE_METHOD(backbone, "an edge's name may share empty non-terminals with the zone's records", "[dns][mapped]") {
  map.register_edge("e17.ns.lb.example.com.", "198.51.100.17");
  CHECK(ask("ns.lb.example.com", rr_type::a).code == 0);
  CHECK(ask("b1.ns.lb.example.com", rr_type::a).answer.size() == 1);
}

TEST_CASE_METHOD(backbone, "what stands in the zone comes before what is registered", "[dns][mapped]") {
  map.register_edge("b1.ns.lb.example.com.", "198.51.100.66");
  CHECK(ask("b1.ns.lb.example.com", rr_type::a).answer == strings{"b1.ns.lb.example.com. 20 A 192.0.2.1"});
}

TEST_CASE_METHOD(backbone, "a registered name below a delegation is its servers'", "[dns][mapped]") {
  map.register_edge("e1.part.lb.example.com.", "198.51.100.66");
  const auto r = ask("e1.part.lb.example.com", rr_type::a);
  CHECK_FALSE(r.aa);
  CHECK(r.authority == strings{"part.lb.example.com. 20 NS ns.example.net."});
}

TEST_CASE_METHOD(backbone, "a registered name below a wildcard's place hides the wildcard", "[dns][mapped]") {
  CHECK(ask("e1.wild.lb.example.com", rr_type::txt).answer.size() == 1);
  map.register_edge("e1.wild.lb.example.com.", "198.51.100.66");
  CHECK(ask("e1.wild.lb.example.com", rr_type::txt).answer.empty());
  CHECK(ask("e1.wild.lb.example.com", rr_type::a).answer.size() == 1);
  CHECK(ask("e2.wild.lb.example.com", rr_type::txt).answer.size() == 1);
}

// ---- the edge's apex ----

TEST_CASE("the NS of a zone that follows its parent are those that the parent gives", "[dns][mapped]") {
  zone z =
      zone_of("www.lb.example.com.",
              "@ SOA e17.ns.lb.example.com. host 1 3600 600 86400 30\n@ NS e17.ns.lb.example.com.\n@ A 192.0.2.80\n");
  const bool follows = GENERATE(true, false);
  if (follows) z.follow_parent();
  zone_set zones;
  zones.add(std::move(z)).value();
  told map;
  const auto servers = [&] {
    return ask(zones, query_builder("www.lb.example.com", rr_type::ns).message,
               {.client = make_address("203.0.113.5"), .map = &map});
  };
  CHECK(servers().answer == strings{"www.lb.example.com. 20 NS e17.ns.lb.example.com."});
  map.apex_servers = usual_referral()->servers;
  const auto r = servers();
  CHECK(r.aa);
  if (follows) {
    CHECK(r.answer == usual_authority);
    CHECK(map.last.source == make_address("203.0.113.5"));
  } else {
    CHECK(r.answer.size() == 1);
  }
}

}  // namespace nearside::dns
