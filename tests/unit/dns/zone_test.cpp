// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/zone.hpp"

#include <chrono>

#include "fixture.hpp"

namespace nearside::dns {

namespace {

name of(std::string_view text) { return name::from_text(text).value(); }
rdata wire_of(std::string_view text) {
  const name n = of(text);
  return {n.wire().begin(), n.wire().end()};
}
const rdata address{192, 0, 2, 1};

}  // namespace

TEST_CASE("a record out of the zone is refused, with its owner and type named", "[dns][zone]") {
  zone z(of("lb.example."));
  const auto refused = z.add(of("www.example."), rr_type::a, 20, address);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("www.example./A") != std::string::npos);
}

TEST_CASE("a duplicate record is ignored, different TTLs in an RRset are refused", "[dns][zone][rfc2181]") {
  zone z(of("lb.example."));
  CHECK(z.add(of("www.lb.example."), rr_type::a, 20, address).has_value());
  CHECK(z.add(of("WWW.lb.example."), rr_type::a, 20, address).has_value());
  CHECK(z.find(of("www.lb.example."))->find(rr_type::a)->rdatas.size() == 1);
  CHECK_FALSE(z.add(of("www.lb.example."), rr_type::a, 30, {192, 0, 2, 2}).has_value());
  CHECK(z.add(of("lb.example."), rr_type::ns, 20, wire_of("ns.example.")).has_value());
  CHECK(z.add(of("lb.example."), rr_type::ns, 20, wire_of("NS.Example.")).has_value());
  CHECK(z.find(of("lb.example."))->find(rr_type::ns)->rdatas.size() == 1);
}

TEST_CASE("a CNAME stands alone and once", "[dns][zone][rfc2181]") {
  zone z(of("lb.example."));
  CHECK(z.add(of("a.lb.example."), rr_type::cname, 20, wire_of("x.")).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::cname, 20, wire_of("y.")).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::a, 20, address).has_value());
  CHECK(z.add(of("b.lb.example."), rr_type::a, 20, address).has_value());
  CHECK_FALSE(z.add(of("b.lb.example."), rr_type::cname, 20, wire_of("x.")).has_value());
}

TEST_CASE("types that are not served and RDATA of another shape are refused", "[dns][zone]") {
  zone z(of("lb.example."));
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 39, 41, 46, 47, 48, 50, 51, 255}) {
    INFO(type);
    CHECK_FALSE(z.add(of("a.lb.example."), type, 20, {0}).has_value());
  }
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::a, 20, {1, 2, 3}).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::aaaa, 20, address).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::mx, 20, {0}).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::ns, 20, {1, 'a'}).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::txt, 20, {5, 'a'}).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::soa, 20, wire_of("a.")).has_value());
  CHECK_FALSE(z.add(of("*.lb.example."), rr_type::ns, 20, wire_of("ns.")).has_value());
  CHECK_FALSE(z.add(of("a.lb.example."), rr_type::a, 0x80000000, address).has_value());
  CHECK(z.add(of("a.lb.example."), 65280, 20, {1, 2, 3}).has_value());
}

TEST_CASE("an RRset that no message can carry is refused", "[dns][zone]") {
  zone z(of("lb.example."));
  std::size_t taken = 0;
  for (unsigned i = 0; i < 6000; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8U);
    if (!z.add(of("www.lb.example."), rr_type::a, 20, {10, 0, high, static_cast<std::uint8_t>(i)})) break;
    ++taken;
  }
  CHECK(taken == 64'511 / 16);
}

TEST_CASE("a zone without SOA, NS or needed addresses is not whole", "[dns][zone]") {
  const auto check = [](std::string_view records) {
    zone z(of("lb.example."));
    std::vector<master_error> errors;
    read_master_text(records, "test", 1, 20, z, errors);
    REQUIRE(errors.empty());
    return static_cast<bool>(z.check());
  };
  const std::string soa = "@ SOA ns host 1 2 3 4 5\n";
  CHECK(check(soa + "@ NS ns.example.\n"));
  CHECK_FALSE(check(soa));
  CHECK_FALSE(check("@ NS ns.example.\n"));
  CHECK_FALSE(check(soa + "@ NS ns\n"));
  CHECK(check(soa + "@ NS ns\nns AAAA 2001:db8::1\n"));
  CHECK_FALSE(check(soa + "@ NS ns.example.\nsub NS ns.sub\n"));
  CHECK_FALSE(check(soa + "@ NS ns.example.\nx DS 1 13 2 00\n"));
  CHECK_FALSE(check(soa + "@ NS ns.example.\n@ DS 1 13 2 00\n"));
}

TEST_CASE("names above records exist as empty non-terminals", "[dns][zone][rfc8020]") {
  zone z(of("lb.example."));
  CHECK(z.add(of("a.b.c.lb.example."), rr_type::a, 20, address).has_value());
  REQUIRE(z.find(of("c.lb.example.")) != nullptr);
  CHECK(z.find(of("b.c.lb.example."))->rrsets.empty());
  CHECK(z.size() == 4);
  CHECK(z.find(of("example.")) == nullptr);
}

TEST_CASE("the highest zone cut wins, the apex is none", "[dns][zone]") {
  zone z(of("lb.example."));
  const rdata ns = wire_of("ns.example.");
  CHECK(z.add(of("lb.example."), rr_type::ns, 20, ns).has_value());
  CHECK(z.cut_above(of("a.sub.lb.example.")) == nullptr);
  CHECK(z.add(of("sub.lb.example."), rr_type::ns, 20, ns).has_value());
  CHECK(z.add(of("deep.sub.lb.example."), rr_type::ns, 20, ns).has_value());
  REQUIRE(z.cut_above(of("x.DEEP.sub.lb.example.")) != nullptr);
  CHECK(z.cut_above(of("x.DEEP.sub.lb.example."))->text() == "sub.lb.example.");
  CHECK(z.cut_above(of("sub.lb.example.")) != nullptr);
  CHECK(z.cut_above(of("lb.example.")) == nullptr);
  CHECK(z.cut_above(of("other.example.")) == nullptr);
}

TEST_CASE("the zone with the longest apex encloses a name", "[dns][zone]") {
  zone_set zones;
  CHECK(zones.add(zone(of("example."))).has_value());
  CHECK(zones.add(zone(of("lb.example."))).has_value());
  CHECK_FALSE(zones.add(zone(of("LB.example."))).has_value());
  CHECK(zones.enclosing(of("a.b.LB.example."))->apex() == of("lb.example."));
  CHECK(zones.enclosing(of("blb.example."))->apex() == of("example."));
  CHECK(zones.enclosing(of("net.")) == nullptr);
  CHECK(zones.enclosing(name()) == nullptr);
}

TEST_CASE("only balanced address RRsets have alternatives, 255 at most, and only addresses are pooled", "[dns][zone]") {
  zone z(of("lb.example."));
  for (unsigned i = 0; i < 300; ++i) {
    const rdata next{10, 0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
    CHECK(z.add(of("www.lb.example."), rr_type::a, 20, next).has_value());
  }
  CHECK(z.add(of("www.lb.example."), rr_type::txt, 20, {1, 'a'}).has_value());
  const node& www = *z.find(of("www.lb.example."));
  CHECK(www.find(rr_type::a)->alternatives() == 1);
  z.balance(of("WWW.lb.example."), 7);
  z.balance(of("missing.lb.example."), 7);
  CHECK(www.find(rr_type::a)->pool == 7);
  CHECK(www.find(rr_type::txt)->pool == no_pool);
  z.balance_several();
  CHECK(www.find(rr_type::a)->alternatives() == 255);
  CHECK(www.find(rr_type::txt)->alternatives() == 1);
}

TEST_CASE("two hundred thousand names are added in seconds", "[dns][zone]") {
  zone z(of("lb.example."));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 200'000; ++i) {
    z.add(of("host" + std::to_string(i) + ".dept" + std::to_string(i % 1000) + ".lb.example."), rr_type::a, 20, address)
        .value();
  }
  CHECK(z.size() == 201'001);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
}

}  // namespace nearside::dns
