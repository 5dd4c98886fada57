// SPDX-License-Identifier: BSD-2-Clause
// Names with a mode, and the keys of zones that a backbone or a registration brings.
#include "agent/dns/rr_type.hpp"
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

namespace {

/// The zone is in lines 5 to 7, what a test adds begins in line 8.
std::string backbone_with(const std::string& rest) { return usual_backbone_node + usual_zone + rest; }

std::string www(const std::string& rest) { return "[[zone.balance]]\nname = \"www\"\n" + rest; }

const std::string servers = "servers = [\"192.0.2.80\", \"2001:db8::80\"]\n";

dns::name owner(std::string_view text) { return dns::name::from_text(text).value(); }

mapped_name only_mapped(const std::string& rest) {
  const loaded good = load_whole(backbone_with(rest));
  REQUIRE(good.mapped.size() == 1);
  return good.mapped.front();
}

}  // namespace

TEST_CASE("a name with a mode is a mapped name of its zone", "[config][mapped]") {
  const loaded good = load_whole(backbone_with(www("mode = \"auto\"\n" + servers)));
  CHECK(good.mapped == std::vector<mapped_name>{{.owner = owner("www.lb.example.com"),
                                                 .zone = owner("lb.example.com"),
                                                 .how = mapped_mode::automatic,
                                                 .pool = 0,
                                                 .addresses = 0,
                                                 .ttl = 20,
                                                 .referral_ttl = 60}});
  const dns::zone& zone = good.zones->zones()[0];
  CHECK(zone.find(owner("www.lb.example.com"))->mapped == 0);
  CHECK(zone.find(owner("www.lb.example.com"))->find(dns::rr_type::a)->pool == 0);
  CHECK(*zone.mapped_above(owner("a.www.lb.example.com")) == owner("www.lb.example.com"));
}

TEST_CASE("a name without a mode is no mapped name at a backbone either", "[config][mapped]") {
  const loaded good = load_whole(backbone_with(www(servers)));
  CHECK(good.mapped.empty());
  CHECK(good.zones->zones()[0].mapped_above(owner("www.lb.example.com")) == nullptr);
}

TEST_CASE("every mode is read, and what a direct answer has", "[config][mapped]") {
  CHECK(only_mapped(www("mode = \"referral\"\n" + servers)).how == mapped_mode::referral);
  const auto direct =
      only_mapped("referral_ttl = \"2m\"\n" + www("mode = \"direct\"\nttl = \"7s\"\naddresses = 2\n" + servers));
  CHECK(direct.how == mapped_mode::direct);
  CHECK(direct.ttl == 7);
  CHECK(direct.addresses == 2);
  CHECK(direct.referral_ttl == 120);
}

TEST_CASE("a mode's policy tells how many addresses there are, and needs no checks", "[config][mapped]") {
  const loaded good = load_whole(backbone_with(www("mode = \"auto\"\npolicy = \"latency\"\n" + servers)));
  CHECK(good.mapped.at(0).addresses == 1);
  CHECK(good.servers.pools.at(0).rules.how == score::policy::all);
}

TEST_CASE("a backbone measures nothing for a mapped name", "[config][mapped]") {
  const std::string check = "[[check]]\nname = \"web\"\ntype = \"http\"\n";
  const loaded good =
      load_whole(usual_backbone_node + check + usual_zone + www("mode = \"auto\"\nchecks = [\"web\"]\n" + servers));
  CHECK(good.servers.targets.empty());
}

TEST_CASE("referral alone needs no servers", "[config][mapped]") {
  const auto found = only_mapped(www("mode = \"referral\"\n"));
  CHECK(found.pool == dns::no_pool);
  for (const std::string_view mode : {"direct", "auto"}) {
    CHECK(problems_of(backbone_with(www("mode = \"" + std::string(mode) + "\"\n"))) ==
          lines{"edge.toml:8:1: zone.balance.servers: expected the addresses or names of at least one server, found "
                "none"});
  }
}

TEST_CASE("a mode is for a backbone", "[config][mapped]") {
  CHECK(problems_of(usual_edge + usual_zone + www("mode = \"auto\"\n" + servers)) ==
        lines{"edge.toml:9:8: zone.balance.mode: expected only at a backbone node, found no [backbone]"});
  CHECK(problems_of(usual_edge + usual_zone + "referral_ttl = \"1m\"\n") ==
        lines{"edge.toml:7:16: zone.referral_ttl: expected only at a backbone node, found no [backbone]"});
}

TEST_CASE("an unknown mode is told with those that there are", "[config][mapped]") {
  CHECK(problems_of(backbone_with(www("mode = \"refer\"\n" + servers))) ==
        lines{R"(edge.toml:10:8: zone.balance.mode: expected "referral", "direct" or "auto", found "refer")"});
}

TEST_CASE("a referral's TTL is 30 to 300 seconds", "[config][mapped]") {
  for (const std::string_view good : {"30s", "5m"})
    CHECK(problems_of(backbone_with("referral_ttl = \"" + std::string(good) + "\"\n")).empty());
  for (const std::string_view bad : {"29s", "301s"})
    CHECK(
        problems_of(backbone_with("referral_ttl = \"" + std::string(bad) + "\"\n")) ==
        lines{"edge.toml:8:16: zone.referral_ttl: expected a duration with its unit from \"30s\" to \"5m\", found the "
              "string \"" +
              std::string(bad) + "\""});
}

TEST_CASE("a mapped name is no apex, no wildcard and has no other records", "[config][mapped]") {
  const auto refused = [](const std::string& name, const std::string& records) {
    return problems_of(backbone_with("records = '''\n" + records + "'''\n[[zone.balance]]\nname = \"" + name +
                                     "\"\nmode = \"auto\"\n" + servers));
  };
  CHECK(refused("@", "") == lines{"edge.toml:11:8: zone.balance.name: lb.example.com.: a zone cut lies below "
                                  "lb.example.com."});
  CHECK(refused("*", "") ==
        lines{"edge.toml:11:8: zone.balance.name: *.lb.example.com.: a wildcard cannot be a zone cut"});
  CHECK(
      refused("www", "www TXT \"x\"\n") ==
      lines{"edge.toml:12:8: zone.balance.name: www.lb.example.com.: its servers answer for it, so it cannot have TXT "
            "records"});
  CHECK(refused("www", "a.www TXT \"x\"\n") ==
        lines{"edge.toml:5:1: a.www.lb.example.com.: lies below the mapped name www.lb.example.com., whose servers "
              "answer for it"});
}

TEST_CASE("a zone does not lie at a mapped name of another", "[config][mapped]") {
  CHECK(
      problems_of(backbone_with(www("mode = \"referral\"\n")) +
                  "[[zone]]\nname = \"www.lb.example.com\"\nns = [\"ns.example.net\"]\n") ==
      lines{"edge.toml:12:8: zone www.lb.example.com. hides www.lb.example.com. of zone lb.example.com.: expected the "
            "records in the inner zone only"});
}

TEST_CASE("a zone that is a cut of the backbone's follows its parent", "[config][mapped]") {
  CHECK_FALSE(load_whole(usual_edge + usual_zone).zones->zones()[0].follows_parent());
  const std::string parent = "parent = \"backbone\"\n";
  CHECK(load_whole(usual_registering_edge + usual_zone + parent).zones->zones()[0].follows_parent());
  CHECK(problems_of(usual_edge + usual_zone + parent) ==
        lines{"edge.toml:7:10: zone.parent: expected only at an edge that registers, found no [registration]"});
  CHECK(problems_of(usual_registering_edge + usual_zone + "parent = \"b1\"\n") ==
        lines{R"(edge.toml:8:10: zone.parent: expected "backbone", found "b1")"});
}

}  // namespace nearside::config
