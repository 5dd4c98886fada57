// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/rr_type.hpp"
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

using dns::name;
namespace type = dns::rr_type;

namespace {

const dns::rrset& records(const loaded& from, const char* owner, std::uint16_t rr_type) {
  const name n = name::from_text(owner).value();
  const dns::zone* zone = from.zones->enclosing(n);
  REQUIRE(zone != nullptr);
  REQUIRE(zone->find(n) != nullptr);
  REQUIRE(zone->find(n)->find(rr_type) != nullptr);
  return *zone->find(n)->find(rr_type);
}

loaded load_zone(const std::string& rest) { return load_whole(usual_edge + usual_zone + rest); }

/// The zone's table begins in line 4, `rest` in line 7.
lines wrong_zone(const std::string& rest) { return problems_of(usual_edge + usual_zone + rest); }

/// The [[zone.balance]] is in line 7, its name in line 8, its servers in line 9.
lines wrong_balance(const std::string& owner, const std::string& servers) {
  return wrong_zone("[[zone.balance]]\nname = \"" + owner + "\"\nservers = [" + servers + "]\n");
}

/// The five numbers at the end of SOA RDATA.
std::vector<std::uint32_t> timers(const dns::rdata& soa) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = soa.size() - 20; i < soa.size(); i += 4) {
    numbers.push_back(std::uint32_t{soa[i]} << 24 | std::uint32_t{soa[i + 1]} << 16 | std::uint32_t{soa[i + 2]} << 8 |
                      soa[i + 3]);
  }
  return numbers;
}

std::pair<std::string, std::string> soa_names(const dns::rdata& soa) {
  const name mname = name::from_wire(soa).value();
  return {mname.text(), name::from_wire(std::span(soa).subspan(mname.wire().size())).value().text()};
}

}  // namespace

TEST_CASE("a zone of a name and its name servers has an SOA made of defaults", "[config][zones]") {
  const loaded good = load_zone("");
  const dns::rrset& soa = records(good, "lb.example.com", type::soa);
  CHECK(soa.ttl == 3600);
  CHECK(soa_names(soa.rdatas.at(0)) ==
        std::pair<std::string, std::string>{"ns.example.net.", "hostmaster.lb.example.com."});
  CHECK(timers(soa.rdatas.at(0)) == std::vector<std::uint32_t>{1, 3600, 600, 604800, 30});
  CHECK(records(good, "lb.example.com", type::ns).rdatas.size() == 1);
  CHECK(good.zones->zones()[0].negative_ttl() == 30);
}

TEST_CASE("the SOA has the values of its table", "[config][zones]") {
  const loaded good = load_zone(R"(apex_ttl = "2h"
[zone.soa]
mname = "p.example.net."
rname = "dns.example.org"
serial = 4294967295
refresh = "2h"
retry = "3m"
expire = "2w"
minimum = "5s"
)");
  const dns::rrset& soa = records(good, "lb.example.com", type::soa);
  CHECK(soa.ttl == 7200);
  CHECK(records(good, "lb.example.com", type::ns).ttl == 7200);
  CHECK(soa_names(soa.rdatas.at(0)) == std::pair<std::string, std::string>{"p.example.net.", "dns.example.org."});
  CHECK(timers(soa.rdatas.at(0)) == std::vector<std::uint32_t>{4294967295, 7200, 180, 1209600, 5});
}

TEST_CASE("a mail address is no RNAME", "[config][zones]") {
  CHECK(
      wrong_zone("soa = { rname = \"dns@example.org\" }\n") ==
      lines{"edge.toml:7:17: zone.soa.rname: expected a domain name, found \"dns@example.org\": write the @ as a dot"});
}

TEST_CASE("servers become one RRset for each family, with the TTL of the name or of the zone", "[config][zones]") {
  const loaded good = load_zone(R"(ttl = "40s"
[[zone.balance]]
name = "www"
servers = ["192.0.2.80", "192.0.2.81", "2001:db8::80"]
[[zone.balance]]
name = "@"
servers = ["192.0.2.82"]
ttl = "5s"
[[zone.balance]]
name = "*.apps"
servers = ["2001:db8::83"]
[[zone.balance]]
name = "full.lb.example.com."
servers = ["192.0.2.84"]
)");
  const dns::rrset& a = records(good, "www.lb.example.com", type::a);
  CHECK(a.rdatas == std::vector<dns::rdata>{{192, 0, 2, 80}, {192, 0, 2, 81}});
  CHECK(a.pool == 0);
  CHECK(a.ttl == 40);
  const dns::rrset& aaaa = records(good, "www.lb.example.com", type::aaaa);
  CHECK(aaaa.rdatas == std::vector<dns::rdata>{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}});
  CHECK(aaaa.pool == 0);
  CHECK(records(good, "lb.example.com", type::a).ttl == 5);
  CHECK(records(good, "*.apps.lb.example.com", type::aaaa).pool == 2);
  CHECK(records(good, "full.lb.example.com", type::a).pool == 3);
}

TEST_CASE("a server has an address of one host, once", "[config][zones]") {
  CHECK(wrong_balance("www", "") == lines{"edge.toml:9:11: zone.balance.servers: expected 1 to 255 servers, found 0"});
  CHECK(wrong_balance("www", "\"0.0.0.0\"") == lines{"edge.toml:9:12: zone.balance.servers: expected the address of "
                                                     "one host, found \"0.0.0.0\", the unspecified address"});
  CHECK(wrong_balance("www", "\"ff02::1\"").size() == 1);
  CHECK(wrong_balance("www", "\"web1.example.net\"") ==
        lines{"edge.toml:9:12: zone.balance.servers: expected an address or the name of a [[server]], found "
              "\"web1.example.net\""});
  CHECK(wrong_balance("www", "\"192.0.2.80\", \"192.0.2.80\"") ==
        lines{"edge.toml:9:26: zone.balance.servers: \"192.0.2.80\" is given twice"});
  CHECK(
      wrong_zone("[[zone.balance]]\nname = \"www\"\n") ==
      lines{"edge.toml:7:1: zone.balance.servers: expected the addresses or names of at least one server, found none"});
}

TEST_CASE("a balanced name belongs to its zone and is there once", "[config][zones]") {
  CHECK_THAT(wrong_balance("www.lb.example.com", "\"192.0.2.80\"").at(0),
             Catch::Contains(
                 "edge.toml:8:8: zone.balance.name: names are relative to the zone: \"www.lb.example.com\" would be "
                 "www.lb.example.com.lb.example.com."));
  CHECK(wrong_balance("www.example.org.", "\"192.0.2.80\"") ==
        lines{"edge.toml:8:8: zone.balance.name: expected a name in lb.example.com., found \"www.example.org.\""});
  CHECK(wrong_balance("a..b", "\"192.0.2.80\"").size() == 1);
  CHECK(wrong_balance("", "\"192.0.2.80\"").size() == 1);
  CHECK(wrong_zone("[[zone.balance]]\nservers = [\"192.0.2.80\"]\n") ==
        lines{"edge.toml:7:1: zone.balance.name: expected a name relative to the zone, found none"});
  CHECK(wrong_zone("[[zone.balance]]\nname = \"www\"\nservers = [\"192.0.2.80\"]\n"
                   "[[zone.balance]]\nname = \"WWW\"\nservers = [\"192.0.2.81\"]\n") ==
        lines{"edge.toml:11:8: zone.balance.name: WWW.lb.example.com. is given twice, first in line 8"});
}

TEST_CASE("records in the file are read with the zone's TTL", "[config][zones]") {
  const loaded good = load_zone(
      "ttl = \"25s\"\nrecords = '''\nmail MX 10 mx\nmx 60 A 192.0.2.25\nweb A 192.0.2.1\nweb A 192.0.2.2\n'''\n");
  CHECK(records(good, "mail.lb.example.com", type::mx).ttl == 25);
  CHECK(records(good, "mx.lb.example.com", type::a).ttl == 60);
  CHECK_FALSE(records(good, "mx.lb.example.com", type::a).balanced);
  CHECK(records(good, "web.lb.example.com", type::a).balanced);
}

TEST_CASE("a wrong record is told with its own line, wherever the text begins", "[config][zones]") {
  for (const char* text :
       {"records = '''\nok A 192.0.2.1\nbad A 192.0.2.x\n'''\n", "records = '''ok A 192.0.2.1\n\nbad A 192.0.2.x'''\n",
        "records = \"\"\"\nok A 192.0.2.1\nbad A 192.0.2.x\"\"\"\n"}) {
    CAPTURE(text);
    const lines found = wrong_zone(text);
    REQUIRE(found.size() == 1);
    CHECK_THAT(found.front(), Catch::StartsWith("edge.toml:9: "));
  }
  const lines found = wrong_zone("records = \"ok A 192.0.2.1\\nbad A 192.0.2.x\"\n");
  REQUIRE(found.size() == 1);
  CHECK_THAT(found.front(), Catch::StartsWith("edge.toml:7: "));
}

TEST_CASE("a master file stands beside the configuration file and brings its own SOA and NS", "[config][zones]") {
  const folder place;
  std::filesystem::create_directory(place.path() / "zones");
  place.write("zones/db", "$TTL 300\n@ SOA ns hostmaster 7 1h 10m 7d 30\n@ NS ns\nns A 192.0.2.53\n");
  auto result =
      load(place.write("edge.toml", usual_edge + "[[zone]]\nname = \"lb.example.com\"\nfile = \"zones/db\"\n"));
  CHECK(problems_of(result).empty());
  const loaded& good = std::get<loaded>(result);
  CHECK(timers(records(good, "lb.example.com", type::soa).rdatas.at(0)).at(0) == 7);
  CHECK(records(good, "ns.lb.example.com", type::a).ttl == 300);
}

TEST_CASE("what is wrong in a master file is told with that file's name and line", "[config][zones]") {
  const folder place;
  place.write("db", "@ NS ns.example.net.\nwww A 192.0.2.1\nbad A 192.0.2.x\n");
  const lines found = problems_of(
      load(place.write("edge.toml", usual_edge + "[[zone]]\nname = \"lb.example.com\"\nttl = 5\nfile = \"db\"\n")));
  REQUIRE(found.size() == 2);
  CHECK_THAT(found[0], Catch::StartsWith("edge.toml:6:7: zone.ttl: "));
  CHECK_THAT(found[1], Catch::StartsWith("db:3: "));
}

TEST_CASE("a master file that cannot be read is told at its key", "[config][zones]") {
  const folder place;
  std::filesystem::create_directory(place.path() / "sub");
  std::filesystem::resize_file(place.write("huge", ""), (1ull << 30) + 1);
  const auto with = [&](const std::string& file) {
    const lines found =
        problems_of(load(place.write("edge.toml", usual_edge + usual_zone + "file = \"" + file + "\"\n")));
    REQUIRE(found.size() == 1);
    CHECK_THAT(found.front(), Catch::StartsWith("edge.toml:7:8: zone.file: "));
    return found.front();
  };
  CHECK_THAT(with("missing"), Catch::Contains("No such file or directory"));
  CHECK_THAT(with("sub"), Catch::Contains("expected a file, found a directory"));
  CHECK_THAT(with("huge"), Catch::Contains("expected a file of at most 1024 MiB"));
  CHECK_THAT(with(""), Catch::Contains("expected the path of a master file"));
}

TEST_CASE("the SOA and the NS are given in one place", "[config][zones]") {
  const std::string soa = "@ SOA ns.example.net. hostmaster 1 1h 10m 7d 30\n";
  CHECK(wrong_zone("soa = { serial = 2 }\nrecords = '''\n" + soa + "'''\n") ==
        lines{"edge.toml:7:7: zone.soa: expected the SOA in one place, found an SOA record in the zone's records too"});
  CHECK(wrong_zone("records = '''\n@ NS ns2.example.net.\n'''\n") ==
        lines{"edge.toml:6:6: zone.ns: expected the name servers in one place, found NS records of the zone in its "
              "records too"});
  CHECK(wrong_zone("records = '''\n" + soa + "'''\n").empty());
}

TEST_CASE("a zone needs a name and name servers that have addresses", "[config][zones]") {
  CHECK(problems_of(usual_edge + "[[zone]]\nns = [\"ns.example.net\"]\n") ==
        lines{"edge.toml:4:1: zone.name: expected the zone's name, found none"});
  CHECK(problems_of(usual_edge + "[[zone]]\nname = \"lb.example.com\"\n") ==
        lines{"edge.toml:4:1: zone.ns: expected the zone's name servers, here or as NS records, found none"});
  CHECK(problems_of(usual_edge + "[[zone]]\nname = \"lb.example.com\"\nns = []\n") ==
        lines{"edge.toml:6:6: zone.ns: expected 1 to 32 name servers, found 0"});
  CHECK_THAT(problems_of(usual_edge + "[[zone]]\nname = \"*.example.com\"\nns = [\"ns.example.net\"]\n").at(0),
             Catch::StartsWith("edge.toml:5:8: zone.name: expected a domain name, found the wildcard"));
  const std::string inside = usual_edge + "[[zone]]\nname = \"lb.example.com\"\nns = [\"e17.lb.example.com\"]\n";
  const lines found = problems_of(inside);
  REQUIRE(found.size() == 1);
  CHECK_THAT(found.front(), Catch::StartsWith("edge.toml:4:1: ") && Catch::Contains("e17.lb.example.com."));
  CHECK(problems_of(inside + "[[zone.balance]]\nname = \"e17\"\nservers = [\"192.0.2.53\"]\n").empty());
}

TEST_CASE("a zone without a name has its other problems told too", "[config][zones]") {
  CHECK(
      problems_of(usual_edge + "[[zone]]\nnane = \"lb.example.com\"\nttl = \"0s\"\nns = [\"ns.example.net\"]\n"
                               "[[zone.balance]]\nname = \"www\"\nservers = []\n") ==
      lines{"edge.toml:4:1: zone.name: expected the zone's name, found none",
            "edge.toml:5:1: unknown key \"zone.nane\", did you mean \"name\"?",
            "edge.toml:6:7: zone.ttl: expected a duration with its unit from \"1s\" to \"2d\", found the string \"0s\"",
            "edge.toml:10:11: zone.balance.servers: expected 1 to 255 servers, found 0"});
}

TEST_CASE("the timers of an SOA make sense together", "[config][zones]") {
  CHECK(wrong_zone("soa = { refresh = \"8d\" }\n") ==
        lines{"edge.toml:7:7: zone.soa.expire: expected no less than refresh"});
  CHECK(wrong_zone("soa = { refresh = \"8d\", expire = \"8d\" }\n").empty());
}

TEST_CASE("a balanced name that the records have already is told at the name", "[config][zones]") {
  const std::string balance = "[[zone.balance]]\nname = \"www\"\nservers = [\"192.0.2.80\"]\n";
  CHECK(wrong_zone("records = 'www CNAME other'\n" + balance) ==
        lines{"edge.toml:9:8: zone.balance.name: www.lb.example.com. is a CNAME in the zone's records"});
  CHECK(wrong_zone("records = 'www AAAA 2001:db8::1'\n" + balance) ==
        lines{"edge.toml:9:8: zone.balance.name: www.lb.example.com. has addresses in the zone's records already"});
  CHECK(wrong_zone("records = 'www NS ns.example.net.'\n" + balance) ==
        lines{"edge.toml:9:8: zone.balance.name: www.lb.example.com. lies in the delegation of www.lb.example.com., "
              "whose servers answer for it"});
  CHECK(wrong_zone("records = 'www TXT hello'\n" + balance).empty());
}

TEST_CASE("the same zone twice is told at the second one's name, whatever the letters' case", "[config][zones]") {
  CHECK(wrong_zone("[[zone]]\nname = \"LB.example.COM.\"\nns = [\"ns.example.net\"]\n") ==
        lines{"edge.toml:8:8: zone.name: zone LB.example.COM. is given twice, first in line 5"});
}

TEST_CASE("a zone inside another is delegated there or has its records alone", "[config][zones]") {
  const std::string inner = "[[zone]]\nname = \"b.a.lb.example.com\"\nns = [\"ns.example.net\"]\n";
  CHECK(wrong_zone(inner).empty());
  CHECK(wrong_zone("records = 'b.a NS ns.example.net.'\n" + inner).empty());
  CHECK(wrong_zone("records = 'a NS ns.example.net.'\n" + inner) ==
        lines{"edge.toml:9:8: zone b.a.lb.example.com. lies in the delegation of a.lb.example.com. in zone "
              "lb.example.com., "
              "whose servers answer for it"});
  CHECK(wrong_zone("records = 'x.b.a TXT hello'\n" + inner) ==
        lines{"edge.toml:9:8: zone b.a.lb.example.com. hides x.b.a.lb.example.com. of zone lb.example.com.: "
              "expected the records in the inner zone only"});
}

}  // namespace nearside::config
