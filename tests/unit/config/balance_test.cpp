// SPDX-License-Identifier: BSD-2-Clause
// What a [[zone.balance]] says of its servers and its policy, and all that can be wrong in it.
#include "agent/dns/rr_type.hpp"
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

using namespace std::chrono_literals;

namespace {

/// A check and two servers in lines 4 to 14; the zone is in lines 15 to 17, its name in lines 18 and 19, so that what
/// a test adds begins in line 20.
const std::string usual_servers =
    "[[check]]\nname = \"web\"\ntype = \"http\"\n"
    "[[server]]\nname = \"fra1\"\nipv4 = \"192.0.2.80\"\nipv6 = \"2001:db8::80\"\nsite = \"fra\"\n"
    "[[server]]\nname = \"ams1\"\nipv4 = \"198.51.100.80\"\n";

std::string with(const std::string& rest) {
  return usual_edge + usual_servers + usual_zone + "[[zone.balance]]\nname = \"www\"\n" + rest;
}

lines wrong(const std::string& rest) { return problems_of(with(rest)); }

const std::string both = "servers = [\"fra1\", \"ams1\"]\n";
const std::string measured = both + "checks = [\"web\"]\n";

score::pool only_pool(const std::string& rest) {
  const loaded good = load_whole(with(rest));
  REQUIRE(good.servers.pools.size() == 1);
  return good.servers.pools.front();
}

}  // namespace

TEST_CASE("a name of servers alone answers with all of them", "[config][balance]") {
  const score::pool p = only_pool(both);
  CHECK(p.label == "www.lb.example.com.");
  score::criteria usual;
  CHECK(p.rules == usual);
  CHECK(p.members == std::vector<score::member>{{"fra1", 1, 1, 0, "fra"}, {"ams1", 1, 1, 0, ""}});
  REQUIRE(p.families[0].addresses.size() == 2);
  CHECK(p.families[0].addresses[1].member == 1);
  CHECK(p.families[0].addresses[1].targets.empty());
  CHECK(p.families[1].addresses.size() == 1);
}

TEST_CASE("every criterion of a name is read", "[config][balance]") {
  const score::criteria r = only_pool(measured + R"(policy = "spread"
addresses = 2
minimum_healthy = 2
max_rtt = "1500us"
max_loss = 0.2
max_cost = 10
sites = ["ams", "fra"]
within = "2.5%"
all_down = "servfail"
unknown = "up"
ttl = "30s"
ttl_min = "5s"
)")
                                .rules;
  CHECK(r.how == score::policy::spread);
  CHECK(r.addresses == 2);
  CHECK(r.minimum_healthy == 2);
  CHECK(r.maximum_rtt == 1500us);
  CHECK(r.maximum_loss == 0.2);
  CHECK(r.maximum_cost == 10.0);
  CHECK(r.sites == lines{"ams", "fra"});
  CHECK(r.within_percent == 2.5);
  CHECK(r.within == 0s);
  CHECK(r.all_down == score::all_down_rule::servfail);
  CHECK(r.unknown == score::unknown_rule::up);
  CHECK(r.ttl == 30s);
  CHECK(r.ttl_min == 5s);
  const score::criteria time = only_pool(measured + "policy = \"spread\"\nwithin = \"5ms\"\n").rules;
  CHECK(time.within_percent == 0);
  CHECK(time.within == 5ms);
}

TEST_CASE("a short TTL shortens the least one unless that is given", "[config][balance]") {
  CHECK(only_pool(both + "ttl = \"2s\"\n").rules.ttl_min == 2s);
  CHECK(wrong(both + "ttl = \"2s\"\nttl_min = \"3s\"\n") ==
        lines{"edge.toml:22:11: zone.balance.ttl_min: expected no more than ttl, \"2s\", found \"3s\""});
}

TEST_CASE("the weights, priorities and costs of a name come before those of the servers", "[config][balance]") {
  const score::pool p = only_pool(
      "servers = [\"fra1\", \"2001:DB8:0::1\"]\nweights = { fra1 = 3, \"2001:db8::1\" = 0 }\n"
      "priorities = { fra1 = 2 }\ncosts = { fra1 = 1.5 }\n");
  CHECK(p.members == std::vector<score::member>{{"fra1", 3, 2, 1.5, "fra"}, {"2001:db8::1", 0, 1, 0, ""}});
}

TEST_CASE("servers and then fallbacks are the addresses of the name, in their order", "[config][balance]") {
  const loaded good =
      load_whole(with("servers = [\"192.0.2.99\", \"fra1\"]\nall_down = \"fallback\"\nfallback = [\"203.0.113.9\", "
                      "\"2001:db8::9\"]\nttl = \"7s\"\n"));
  const auto owner = dns::name::from_text("www.lb.example.com").value();
  const dns::node* node = good.zones->enclosing(owner)->find(owner);
  const dns::rrset* a = node->find(dns::rr_type::a);
  CHECK(a->rdatas == std::vector<dns::rdata>{{192, 0, 2, 99}, {192, 0, 2, 80}, {203, 0, 113, 9}});
  CHECK(a->ttl == 7);
  CHECK(node->find(dns::rr_type::aaaa)->rdatas.size() == 2);
  const score::pool& p = good.servers.pools.front();
  CHECK(p.families[0].addresses.size() == 2);
  CHECK(p.families[0].fallbacks == 1);
  CHECK(p.families[1].addresses.size() == 1);
  CHECK(p.families[1].fallbacks == 1);
}

TEST_CASE("a family without an address has no records", "[config][balance]") {
  const loaded good = load_whole(with("servers = [\"ams1\"]\n"));
  const auto owner = dns::name::from_text("www.lb.example.com").value();
  CHECK(good.zones->enclosing(owner)->find(owner)->find(dns::rr_type::aaaa) == nullptr);
}

TEST_CASE("a server that is not known is told with the one that was meant", "[config][balance]") {
  CHECK(wrong("servers = [\"fra1\", \"asm1\"]\n") ==
        lines{"edge.toml:20:20: zone.balance.servers: expected an address or the name of a [[server]], found \"asm1\", "
              "did you mean \"ams1\"?"});
  CHECK(wrong(both + "checks = [\"wen\"]\n") ==
        lines{"edge.toml:21:11: zone.balance.checks: expected the name of a [[check]], found \"wen\", did you mean "
              "\"web\"?"});
}

TEST_CASE("a server stands once in a name, and so does an address", "[config][balance]") {
  CHECK(wrong("servers = [\"fra1\", \"fra1\"]\n") ==
        lines{"edge.toml:20:20: zone.balance.servers: \"fra1\" is given twice"});
  CHECK(wrong("servers = [\"fra1\", \"2001:DB8::80\"]\n") ==
        lines{"edge.toml:20:20: zone.balance.servers: \"2001:db8::80\" has the address 2001:db8::80, which \"fra1\" "
              "has already"});
}

TEST_CASE("a policy that is not known is told with the one that was meant", "[config][balance]") {
  CHECK(wrong(both + "policy = \"latncy\"\n") ==
        lines{"edge.toml:21:10: zone.balance.policy: expected \"all\", \"latency\", \"failover\", \"weighted\", "
              "\"spread\" or \"hash\", found \"latncy\", did you mean \"latency\"?"});
}

TEST_CASE("a policy by response time needs a check for each server", "[config][balance]") {
  const auto told = [](const std::string& why) {
    return lines{"edge.toml:20:12: zone.balance.servers: expected servers with a check, because " + why +
                 " needs measurements, found none for \"fra1\""};
  };
  CHECK(wrong(both + "policy = \"latency\"\n") == told("policy = \"latency\""));
  CHECK(wrong(both + "policy = \"spread\"\n") == told("policy = \"spread\""));
  CHECK(wrong(both + "max_rtt = \"1s\"\n") == told("max_rtt"));
  CHECK(wrong(both + "max_loss = 0.5\n") == told("max_loss"));
  CHECK(wrong(measured + "policy = \"latency\"\nmax_rtt = \"1s\"\nmax_loss = 0.5\n").empty());
  for (const char* policy : {"all", "failover", "weighted", "hash"}) {
    CAPTURE(policy);
    CHECK(wrong(both + "policy = \"" + policy + "\"\n").empty());
  }
}

TEST_CASE("a server that wants no check has none, whatever the name says", "[config][balance]") {
  const std::string alone = usual_edge + usual_servers + "checks = []\n" + usual_zone +
                            "[[zone.balance]]\nname = \"www\"\nservers = [\"ams1\"]\nchecks = [\"web\"]\n";
  CHECK(load_whole(alone).servers.targets.empty());
  CHECK(problems_of(alone + "policy = \"latency\"\n").size() == 1);
}

TEST_CASE("a criterion out of its bounds is told with them", "[config][balance]") {
  CHECK(wrong(measured + "max_loss = 1.1\n") ==
        lines{"edge.toml:22:12: zone.balance.max_loss: expected a number from 0 to 1, found the number 1.1"});
  CHECK(wrong(both + "addresses = 256\n") ==
        lines{"edge.toml:21:13: zone.balance.addresses: expected an integer from 1 to 255, found the integer 256"});
  CHECK(wrong(both + "minimum_healthy = 0\n").size() == 1);
  CHECK(wrong(both + "minimum_healthy = 3\n") ==
        lines{"edge.toml:21:19: zone.balance.minimum_healthy: expected no more than the number of servers, 2, found "
              "3"});
  CHECK(wrong(both + "max_cost = -1\n").size() == 1);
  CHECK(wrong(measured + "max_rtt = \"2m\"\n").size() == 1);
}

TEST_CASE("a weight, a priority or a cost has bounds and belongs to a server of the name", "[config][balance]") {
  CHECK(wrong(both + "weights = { fra1 = -1 }\n") ==
        lines{"edge.toml:21:20: zone.balance.weights.fra1: expected an integer from 0 to 65535, found the integer -1"});
  CHECK(wrong(both + "priorities = { fra2 = 1 }\n") ==
        lines{"edge.toml:21:23: zone.balance.priorities: \"fra2\" is not among the servers of this name, did you mean "
              "\"fra1\"?"});
  CHECK(wrong(both + "costs = { ams1 = \"1\" }\n").size() == 1);
  CHECK(wrong("servers = [\"192.0.2.9\"]\nweights = { 192.0.2.9 = 2 }\n") ==
        lines{"edge.toml:21:13: zone.balance.weights: \"192\" is not among the servers of this name: write an address "
              "in quotes"});
  CHECK(wrong(both + "weights = [1]\n") ==
        lines{"edge.toml:21:11: zone.balance.weights: expected a table, [zone.balance.weights], found an array"});
}

TEST_CASE("one server at least has a weight", "[config][balance]") {
  CHECK(wrong(both + "weights = { fra1 = 0, ams1 = 0 }\n") ==
        lines{"edge.toml:21:11: zone.balance.weights: expected a server with a weight above 0, found none"});
  CHECK(wrong(both + "weights = { fra1 = 0 }\n").empty());
}

TEST_CASE("how far servers may be apart is for the policy spread alone", "[config][balance]") {
  CHECK(wrong(measured + "policy = \"latency\"\nwithin = \"10%\"\n") ==
        lines{"edge.toml:23:10: zone.balance.within: expected only with policy = \"spread\""});
  CHECK(wrong(measured + "policy = \"spread\"\nwithin = \"10\"\n") ==
        lines{"edge.toml:23:10: zone.balance.within: expected a percentage from \"0%\" to \"1000%\" or a duration from "
              "\"1us\" to \"1m\", found \"10\""});
  for (const char* text : {"", "%", "-1%", "1001%", "nan%", "10 %", "10%%", "0s", "2m"}) {
    CAPTURE(text);
    CHECK(wrong(measured + "policy = \"spread\"\nwithin = \"" + text + "\"\n").size() == 1);
  }
}

TEST_CASE("fallbacks and the rule to use them come together", "[config][balance]") {
  CHECK(wrong(both + "all_down = \"fallback\"\n") ==
        lines{"edge.toml:21:12: zone.balance.all_down: expected addresses in fallback for \"fallback\", found none"});
  CHECK(wrong(both + "fallback = [\"203.0.113.9\"]\n") ==
        lines{"edge.toml:21:12: zone.balance.fallback: expected only with all_down = \"fallback\""});
  CHECK(wrong(both + "all_down = \"servfail\"\nfallback = [\"203.0.113.9\"]\n").size() == 1);
  const std::string rule = both + "all_down = \"fallback\"\n";
  CHECK(wrong(rule + "fallback = []\n") ==
        lines{"edge.toml:22:12: zone.balance.fallback: expected at least one address, found none"});
  CHECK(wrong(rule + "fallback = [\"192.0.2.80\"]\n") ==
        lines{"edge.toml:22:13: zone.balance.fallback: \"192.0.2.80\" is a server of this name"});
  CHECK(wrong(rule + "fallback = [\"203.0.113.9\", \"203.0.113.9\"]\n") ==
        lines{"edge.toml:22:28: zone.balance.fallback: \"203.0.113.9\" is given twice"});
  CHECK(wrong(rule + "fallback = [\"ams1\"]\n").size() == 1);
}

TEST_CASE("a word that is not known is the one problem, not what would belong to it", "[config][balance]") {
  CHECK(wrong(measured + "policy = \"spraed\"\nwithin = \"10%\"\n").size() == 1);
  CHECK(wrong(both + "all_down = \"fallbcak\"\nfallback = [\"203.0.113.9\"]\n") ==
        lines{"edge.toml:21:12: zone.balance.all_down: expected \"answer-all\", \"servfail\" or \"fallback\", found "
              "\"fallbcak\", did you mean \"fallback\"?"});
  CHECK(wrong("servers = [\"fra2\"]\nweights = { fra2 = 3 }\n").size() == 1);
}

TEST_CASE("a name has at most 255 addresses of a family, the fallbacks among them", "[config][balance]") {
  const auto addresses = [](const std::string& prefix, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += "\"" + prefix + std::to_string(i) + "\", ";
    return "[" + all + "]\n";
  };
  CHECK(wrong("servers = " + addresses("10.0.0.", 256)) ==
        lines{"edge.toml:20:11: zone.balance.servers: expected 1 to 255 servers, found 256"});
  const std::string rest = "all_down = \"fallback\"\nfallback = ";
  CHECK(wrong("servers = " + addresses("10.0.0.", 255) + rest + "[\"2001:db8::9\"]\n").empty());
  CHECK(wrong("servers = " + addresses("10.0.0.", 255) + rest + "[\"203.0.113.9\"]\n") ==
        lines{"edge.toml:22:13: zone.balance.fallback: expected at most 255 IPv4 addresses together with the "
              "servers', found more"});
}

TEST_CASE("of the preferred sites one at least has a server", "[config][balance]") {
  CHECK(wrong(both + "sites = [\"ams\", \"lon\"]\n") ==
        lines{"edge.toml:21:9: zone.balance.sites: expected the site of at least one of the servers, found none"});
  CHECK(wrong(both + "sites = [\"lon\", \"fra\"]\n").empty());
  CHECK(wrong(both + "sites = [\"fra\", \"fra\"]\n") ==
        lines{"edge.toml:21:17: zone.balance.sites: \"fra\" is given twice"});
  CHECK(wrong(both + "sites = [\"\"]\n").size() == 1);
}

TEST_CASE("a command that wants a port has servers that tell one", "[config][balance]") {
  const auto text = [](const std::string& port) {
    return usual_edge + "[[check]]\nname = \"x\"\ntype = \"exec\"\ncommand = [\"/bin/true\", \"{address}:{port}\"]\n" +
           "[[server]]\nname = \"fra1\"\nipv4 = \"192.0.2.80\"\n" + port + usual_zone +
           "[[zone.balance]]\nname = \"www\"\nservers = [\"fra1\"]\nchecks = [\"x\"]\n";
  };
  CHECK(problems_of(text("")) ==
        lines{"edge.toml:16:12: zone.balance.servers: expected a server with a check_port for the {port} of the check "
              "\"x\", found \"fra1\""});
  CHECK(load_whole(text("check_port = 8080\n")).servers.probes.at(0).port == 8080);
}

}  // namespace nearside::config
