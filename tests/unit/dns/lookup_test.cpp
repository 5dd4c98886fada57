// SPDX-License-Identifier: BSD-2-Clause
// What is answered to a question: RFC 1034 4.3.2 seen from outside, by the usual zone of the fixture.
#include "fixture.hpp"

namespace nearside::dns {

namespace {
const std::string soa = "lb.example. 30 SOA ns1.lb.example. host.lb.example. 1 3600 600 86400 30";
}

TEST_CASE("an installed name is answered with AA and the TTL of its RRset", "[dns][lookup][rfc1034]") {
  const auto r = ask(query_builder("one.lb.example", rr_type::a));
  CHECK(r.code == 0);
  CHECK(r.aa);
  CHECK(r.answer == strings{"one.lb.example. 20 A 192.0.2.99"});
  CHECK(r.authority.empty());
  CHECK(r.additional.empty());
}

TEST_CASE("a balanced RRset begins with the drawn address and goes round", "[dns][lookup][balance]") {
  const query_builder q("www.lb.example", rr_type::a);
  CHECK(ask(q, {.random = 0x55555555}).answer.front() == "www.lb.example. 20 A 192.0.2.80");
  CHECK(ask(q, {.random = 0x55555556}).answer == strings{"www.lb.example. 20 A 192.0.2.81",
                                                         "www.lb.example. 20 A 192.0.2.82",
                                                         "www.lb.example. 20 A 192.0.2.80"});
}

TEST_CASE("a type that a name does not have is NODATA with the SOA and its negative TTL", "[dns][lookup][rfc2308]") {
  const auto r = ask(query_builder("one.lb.example", rr_type::aaaa));
  CHECK(r.code == 0);
  CHECK(r.aa);
  CHECK(r.answer.empty());
  CHECK(r.authority == strings{soa});
}

TEST_CASE("a name that does not exist is NXDOMAIN with the SOA", "[dns][lookup][rfc2308]") {
  const auto r = ask(query_builder("missing.lb.example", rr_type::a));
  CHECK(r.code == 3);
  CHECK(r.aa);
  CHECK(r.authority == strings{soa});
}

TEST_CASE("an empty non-terminal is NODATA, and what is not below it NXDOMAIN", "[dns][lookup][rfc8020]") {
  CHECK(ask(query_builder("ent.lb.example", rr_type::a)).code == 0);
  CHECK(ask(query_builder("wild.lb.example", rr_type::txt)).code == 0);
  CHECK(ask(query_builder("b.ent.lb.example", rr_type::a)).code == 3);
}

TEST_CASE("a wildcard is synthesised for names right below its parent that do not exist", "[dns][lookup][rfc4592]") {
  CHECK(ask(query_builder("x.wild.lb.example", rr_type::txt)).answer ==
        strings{"x.wild.lb.example. 20 TXT \"synthesised\""});
  CHECK(ask(query_builder("x.y.wild.lb.example", rr_type::a)).answer == strings{"x.y.wild.lb.example. 20 A 192.0.2.7"});
  CHECK(ask(query_builder("there.wild.lb.example", rr_type::txt)).answer ==
        strings{"there.wild.lb.example. 20 TXT \"itself\""});
  // RFC 4592 2.2.1: an existing name keeps the wildcard away, from itself and from the names below it.
  CHECK(ask(query_builder("there.wild.lb.example", rr_type::a)).authority == strings{soa});
  CHECK(ask(query_builder("x.there.wild.lb.example", rr_type::txt)).code == 3);
  CHECK(ask(query_builder("x.wild.lb.example", rr_type::aaaa)).authority == strings{soa});
  CHECK(ask(query_builder("*.wild.lb.example", rr_type::a)).answer == strings{"*.wild.lb.example. 20 A 192.0.2.7"});
}

TEST_CASE("a CNAME is followed inside the zone", "[dns][lookup][rfc1034]") {
  CHECK(ask(query_builder("alias2.lb.example", rr_type::aaaa)).answer ==
        strings{"alias2.lb.example. 20 CNAME alias.lb.example.", "alias.lb.example. 20 CNAME www.lb.example.",
                "www.lb.example. 20 AAAA 2001:db8::80"});
  CHECK(ask(query_builder("alias.lb.example", rr_type::cname)).answer ==
        strings{"alias.lb.example. 20 CNAME www.lb.example."});
  CHECK(ask(query_builder("q.walias.lb.example", rr_type::a)).answer ==
        strings{"q.walias.lb.example. 20 CNAME one.lb.example.", "one.lb.example. 20 A 192.0.2.99"});
}

TEST_CASE("the RCODE and the SOA after a CNAME are those of the last name", "[dns][lookup][rfc6604]") {
  const auto gone = ask(query_builder("nowhere.lb.example", rr_type::a));
  CHECK(gone.code == 3);
  CHECK(gone.answer.size() == 1);
  CHECK(gone.authority == strings{soa});
  const auto nodata = ask(query_builder("noaaaa.lb.example", rr_type::aaaa));
  CHECK(nodata.code == 0);
  CHECK(nodata.answer.size() == 1);
  CHECK(nodata.authority == strings{soa});
}

TEST_CASE("a CNAME out of the zone or in a circle is answered as far as it goes", "[dns][lookup][rfc1034]") {
  const auto outside = ask(query_builder("outside.lb.example", rr_type::a));
  CHECK(outside.answer == strings{"outside.lb.example. 20 CNAME www.example.net."});
  CHECK(outside.authority.empty());
  CHECK(outside.code == 0);
  const auto circle = ask(query_builder("loop1.lb.example", rr_type::a));
  CHECK(circle.answer.size() == 2);
  CHECK(circle.code == 0);
}

TEST_CASE("no more than eight CNAMEs are followed", "[dns][lookup]") {
  std::string records = usual_records;
  for (int i = 0; i < 12; ++i) records += "c" + std::to_string(i) + " CNAME c" + std::to_string(i + 1) + "\n";
  zone_set zones;
  zones.add(zone_of("lb.example.", records)).value();
  CHECK(ask(zones, query_builder("c0.lb.example", rr_type::a).message).answer.size() == 8);
}

TEST_CASE("a name at or below a zone cut is referred: no AA, NS and DS, then glue", "[dns][lookup][referral]") {
  for (const char* qname : {"sub.lb.example", "host.sub.lb.example", "ns.sub.lb.example", "missing.x.sub.lb.example"}) {
    INFO(qname);
    const auto r = ask(query_builder(qname, rr_type::a));
    CHECK(r.code == 0);
    CHECK_FALSE(r.aa);
    CHECK(r.answer.empty());
    REQUIRE(r.authority.size() == 3);
    CHECK(r.authority[0] == "sub.lb.example. 20 NS ns.sub.lb.example.");
    CHECK(r.authority[1] == "sub.lb.example. 20 NS ns2.other.example.");
    CHECK(r.authority[2].find(" DS 1 13 2 ") != std::string::npos);
    CHECK(r.additional == strings{"ns.sub.lb.example. 20 A 192.0.2.53"});
  }
  CHECK_FALSE(ask(query_builder("sub.lb.example", rr_type::any)).aa);
}

TEST_CASE("DS at a zone cut is answered by the parent, below it is referred", "[dns][lookup][rfc4035]") {
  const auto r = ask(query_builder("sub.lb.example", rr_type::ds));
  CHECK(r.aa);
  CHECK(r.answer.size() == 1);
  CHECK_FALSE(ask(query_builder("x.sub.lb.example", rr_type::ds)).aa);
  CHECK(ask(query_builder("lb.example", rr_type::ds)).authority == strings{soa});
}

TEST_CASE("with both sides of a zone cut here, DS comes from the parent and all else from the child",
          "[dns][lookup][rfc4035]") {
  zone_set zones;
  zones.add(zone_of("lb.example.", usual_records)).value();
  zones.add(zone_of("sub.lb.example.", "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n")).value();
  const auto ds = ask(zones, query_builder("sub.lb.example", rr_type::ds).message);
  CHECK(ds.answer.size() == 1);
  CHECK(ask(zones, query_builder("sub.lb.example", rr_type::soa).message).aa);
  // A CNAME of the parent that leads into the child is not followed.
  CHECK(ask(zones, query_builder("inward.lb.example", rr_type::a).message).answer.size() == 1);
}

TEST_CASE("a CNAME to a delegated name is followed by the referral, with AA for the CNAME", "[dns][lookup][referral]") {
  const auto r = ask(query_builder("inward.lb.example", rr_type::a));
  CHECK(r.aa);
  CHECK(r.answer == strings{"inward.lb.example. 20 CNAME host.sub.lb.example."});
  CHECK(r.authority.size() == 3);
}

TEST_CASE("NS at the apex brings the addresses of name servers in the zone", "[dns][lookup][rfc1035]") {
  const auto r = ask(query_builder("lb.example", rr_type::ns));
  CHECK(r.answer.size() == 3);
  CHECK(r.authority.empty());
  CHECK(r.additional == strings{"ns1.lb.example. 20 A 192.0.2.1", "ns1.lb.example. 20 AAAA 2001:db8::1",
                                "ns3.lb.example. 20 A 192.0.2.3"});
}

TEST_CASE("SOA, MX, SRV and HTTPS bring nothing but themselves", "[dns][lookup]") {
  for (const auto& [qname, qtype] : {std::pair("lb.example", rr_type::soa),
                                     {"mail.lb.example", rr_type::mx},
                                     {"srv.lb.example", rr_type::srv},
                                     {"h.lb.example", rr_type::https}}) {
    INFO(qname);
    const auto r = ask(query_builder(qname, qtype));
    CHECK(r.answer.size() == 1);
    CHECK(r.authority.empty());
    CHECK(r.additional.empty());
  }
  CHECK(ask(query_builder("lb.example", rr_type::soa)).answer.front().substr(0, 19) == "lb.example. 300 SOA");
}

TEST_CASE("a type that nobody knows is served as its octets", "[dns][lookup][rfc3597]") {
  CHECK(ask(query_builder("u.lb.example", 65280)).answer == strings{"u.lb.example. 20 TYPE65280 \\# 3 010203"});
  CHECK(ask(query_builder("www.lb.example", 1000)).authority == strings{soa});
}

TEST_CASE("ANY is answered with one RRset, that of the lowest type", "[dns][lookup][rfc8482]") {
  CHECK(ask(query_builder("www.lb.example", rr_type::any)).answer.size() == 3);
  CHECK(ask(query_builder("lb.example", rr_type::any)).answer.size() == 3);
  CHECK(ask(query_builder("alias.lb.example", rr_type::any)).answer.size() == 1);
  CHECK(ask(query_builder("ent.lb.example", rr_type::any)).authority == strings{soa});
}

TEST_CASE("a name out of all zones is refused without AA", "[dns][lookup]") {
  for (const char* qname : {"example", ".", "www.example.net", "xlb.example"}) {
    const auto r = ask(query_builder(qname, rr_type::a));
    CHECK(r.code == 5);
    CHECK_FALSE(r.aa);
    CHECK(r.authority.empty());
  }
}

}  // namespace nearside::dns
