// SPDX-License-Identifier: BSD-2-Clause
// Pools and targets: what is shared, how it is called, and what it is recognised by.
#include <algorithm>
#include <set>

#include "agent/dns/rr_type.hpp"
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

namespace {

const std::string checks = "[[check]]\nname = \"web\"\ntype = \"http\"\n[[check]]\nname = \"ping\"\ntype = \"icmp\"\n";
const std::string fra1 = "[[server]]\nname = \"fra1\"\nipv4 = \"192.0.2.80\"\nipv6 = \"2001:db8::80\"\n";

std::string balance(const std::string& name, const std::string& servers, const std::string& rest) {
  return "[[zone.balance]]\nname = \"" + name + "\"\nservers = [" + servers + "]\n" + rest;
}

measuring with(const std::string& servers, const std::string& names) {
  return load_whole(usual_edge + checks + servers + usual_zone + names).servers;
}

lines labels(const measuring& m) {
  lines all;
  for (const auto& target : m.targets) all.push_back(target.label);
  return all;
}

const std::string web = "checks = [\"web\"]\n";

}  // namespace

TEST_CASE("names with the same servers, checks and criteria share a pool", "[config][pools]") {
  const measuring m = with(fra1, balance("www", "\"fra1\"", web) + balance("api", "\"fra1\"", web) +
                                     balance("other", "\"fra1\"", web + "policy = \"failover\"\n") +
                                     balance("unchecked", "\"fra1\"", ""));
  REQUIRE(m.pools.size() == 3);
  CHECK(m.pools[0].label == "www.lb.example.com.");
  CHECK(m.pools[1].label == "other.lb.example.com.");
  CHECK(m.targets.size() == 2);
  CHECK(m.pools[1].families[0].addresses[0].targets == m.pools[0].families[0].addresses[0].targets);
}

TEST_CASE("the records of a name say which pool it is in", "[config][pools]") {
  const loaded good = load_whole(usual_edge + checks + fra1 + usual_zone + balance("www", "\"192.0.2.1\"", web) +
                                 balance("api", "\"fra1\"", web) + balance("app", "\"fra1\"", web));
  const auto pool_of = [&](const char* owner, std::uint16_t type) {
    const auto name = dns::name::from_text(owner).value();
    return good.zones->enclosing(name)->find(name)->find(type)->pool;
  };
  CHECK(pool_of("www.lb.example.com", dns::rr_type::a) == 0);
  CHECK(pool_of("api.lb.example.com", dns::rr_type::a) == 1);
  CHECK(pool_of("api.lb.example.com", dns::rr_type::aaaa) == 1);
  CHECK(pool_of("app.lb.example.com", dns::rr_type::a) == 1);
}

TEST_CASE("the order of the servers is part of a pool", "[config][pools]") {
  const measuring m = with(
      "", balance("www", "\"192.0.2.1\", \"192.0.2.2\"", web) + balance("api", "\"192.0.2.2\", \"192.0.2.1\"", web));
  CHECK(m.pools.size() == 2);
  CHECK(m.targets.size() == 2);
}

TEST_CASE("equal checks of an address and a port are one target, whatever their names", "[config][pools]") {
  const std::string again = "[[check]]\ntype = \"http\"\nport = 80\ntimeout = \"500ms\"\nname = \"same\"\n";
  const measuring m =
      with(again + fra1, balance("www", "\"fra1\"", web) + balance("api", "\"192.0.2.80\"", "checks = [\"same\"]\n"));
  CHECK(labels(m) == lines{"fra1", "fra1/ipv6"});
  CHECK(m.probes.size() == 2);
  CHECK(m.pools.at(1).families[0].addresses.at(0).targets == std::vector<std::size_t>{0});
}

TEST_CASE("a target has the server's check address and check port, except where there are no ports",
          "[config][pools]") {
  const measuring m = with(
      "[[server]]\nname = \"fra1\"\nipv4 = \"192.0.2.80\"\ncheck_ipv4 = \"198.51.100.7\"\ncheck_port = 8080\n"
      "checks = [\"web\", \"ping\"]\n",
      balance("www", "\"fra1\"", ""));
  REQUIRE(m.probes.size() == 2);
  CHECK(m.probes[0].address == boost::asio::ip::make_address("198.51.100.7"));
  CHECK(m.probes[0].port == 8080);
  CHECK(m.probes[1].port == 0);
  CHECK(m.checks.at(m.probes[1].check).name == "ping");
  CHECK(m.targets[0].server == "fra1");
  CHECK(m.targets[0].check == "web");
}

TEST_CASE("a server's own checks come before those of the name", "[config][pools]") {
  const measuring m = with(fra1 + "checks = [\"ping\"]\n", balance("www", "\"fra1\", \"192.0.2.9\"", web));
  REQUIRE(m.targets.size() == 3);
  CHECK(m.targets[0].check == "ping");
  CHECK(m.targets[2].check == "web");
}

TEST_CASE("a target is called after its server, its family and its check, as far as that tells it apart",
          "[config][pools]") {
  CHECK(labels(with(fra1, balance("www", "\"fra1\", \"2001:db8::9\"", "checks = [\"web\", \"ping\"]\n"))) ==
        lines{"fra1", "fra1/ping", "fra1/ipv6", "fra1/ipv6/ping", "2001:db8::9", "2001:db8::9/ping"});
  CHECK(labels(with(fra1, balance("www", "\"fra1\"", web) + balance("api", "\"fra1\"", "checks = [\"ping\"]\n"))) ==
        lines{"fra1", "fra1/ipv6", "fra1/ping", "fra1/ipv6/ping"});
}

TEST_CASE("no two targets have one label, even where a check is called like a family", "[config][pools]") {
  const std::string odd = "[[check]]\nname = \"ipv6\"\ntype = \"tcp\"\nport = 1\n";
  const lines all =
      labels(with(odd + fra1, balance("www", "\"fra1\"", web) + balance("api", "\"fra1\"", "checks = [\"ipv6\"]\n")));
  CHECK(all.size() == 4);
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == 4);
  CHECK(std::count(all.begin(), all.end(), "fra1/ipv6/2") == 1);
}

TEST_CASE("two checks of a server that are equal but for their names are measured once", "[config][pools]") {
  const std::string same = "[[check]]\nname = \"same\"\ntype = \"icmp\"\n";
  const measuring m = with(same, balance("www", "\"192.0.2.1\"", "checks = [\"ping\", \"same\"]\n"));
  CHECK(m.targets.size() == 1);
  CHECK(m.pools.at(0).families[0].addresses.at(0).targets.size() == 1);
}

TEST_CASE("a command with the server's name in it is run for each server", "[config][pools]") {
  const std::string servers =
      "[[server]]\nname = \"a\"\nipv4 = \"192.0.2.1\"\n[[server]]\nname = \"b\"\nipv4 = \"192.0.2.1\"\n";
  const std::string names =
      balance("www", "\"a\"", "checks = [\"x\"]\n") + balance("api", "\"b\"", "checks = [\"x\"]\n");
  const std::string command = "[[check]]\nname = \"x\"\ntype = \"exec\"\ncommand = [\"/bin/true\", \"";
  CHECK(with(command + "{server}\"]\n" + servers, names).targets.size() == 2);
  CHECK(with(command + "{address}\"]\n" + servers, names).targets.size() == 1);
}

TEST_CASE("keys are the same after edits that do not concern them", "[config][pools]") {
  const std::string name = balance("www", "\"fra1\"", web);
  const measuring before = with(fra1, name);
  const measuring after =
      with("[[server]]\nname = \"ams1\"\nipv4 = \"192.0.2.81\"\n" + fra1,
           balance("api", "\"ams1\"", "checks = [\"ping\"]\n") + name + balance("apart", "\"192.0.2.82\"", ""));
  REQUIRE(before.pools.size() == 1);
  REQUIRE(after.pools.size() == 3);
  CHECK(after.pools[1].key == before.pools[0].key);
  CHECK(after.targets.at(1).key == before.targets.at(0).key);
  CHECK(after.targets.at(2).key == before.targets.at(1).key);
}

TEST_CASE("a key changes with anything that changes results or answers", "[config][pools]") {
  const auto key_of = [](const std::string& check, const std::string& server, const std::string& rest) {
    const measuring m = load_whole(usual_edge + "[[check]]\nname = \"web\"\n" + check +
                                   "[[server]]\nname = \"fra1\"\nipv4 = \"192.0.2.80\"\n" + server + usual_zone +
                                   balance("www", "\"fra1\"", web + rest))
                            .servers;
    return std::pair(m.targets.at(0).key, m.pools.at(0).key);
  };
  const std::string http = "type = \"http\"\n";
  const auto usual = key_of(http, "", "");
  for (const char* check :
       {"type = \"icmp\"\n", "type = \"http\"\nport = 81\n", "type = \"http\"\ninterval = \"6s\"\n",
        "type = \"http\"\nrise = 5\n", "type = \"http\"\npath = \"/x\"\n", "type = \"http\"\nstatus = [200]\n",
        "type = \"http\"\nbody = \"x\"\n", "type = \"http\"\nbody_regex = \"x\"\n", "type = \"https\"\nport = 80\n",
        "type = \"http\"\nhost = \"a\"\n", "type = \"http\"\nrecheck = \"100ms\"\n",
        "type = \"http\"\nflap_window = \"1h\"\n"}) {
    CAPTURE(check);
    CHECK(key_of(check, "", "").first != usual.first);
    CHECK(key_of(check, "", "").second != usual.second);
  }
  for (const char* server : {"check_ipv4 = \"192.0.2.81\"\n", "check_port = 81\n"}) {
    CAPTURE(server);
    CHECK(key_of(http, server, "").first != usual.first);
    CHECK(key_of(http, server, "").second != usual.second);
  }
  for (const char* server : {"weight = 2\n", "priority = 2\n", "cost = 0.5\n", "site = \"x\"\n"}) {
    CAPTURE(server);
    CHECK(key_of(http, server, "").first == usual.first);
    CHECK(key_of(http, server, "").second != usual.second);
  }
  for (const char* rest :
       {"policy = \"hash\"\n", "addresses = 1\n", "max_rtt = \"1s\"\n", "max_loss = 0.5\n", "max_cost = 1\n",
        "all_down = \"servfail\"\n", "all_down = \"fallback\"\nfallback = [\"192.0.2.1\"]\n", "unknown = \"up\"\n",
        "ttl = \"19s\"\n", "ttl_min = \"2s\"\n"}) {
    CAPTURE(rest);
    CHECK(key_of(http, "", rest).first == usual.first);
    CHECK(key_of(http, "", rest).second != usual.second);
  }
  const std::string spread = "policy = \"spread\"\n";
  for (const char* within : {"within = \"20%\"\n", "within = \"20ms\"\n"})
    CHECK(key_of(http, "", spread + within).second != key_of(http, "", spread).second);
  CHECK(key_of(http, "", spread + "within = \"10ms\"\n").second !=
        key_of(http, "", spread + "within = \"20ms\"\n").second);
}

TEST_CASE("names that need another number of healthy servers share no pool", "[config][pools]") {
  const std::string two = "\"192.0.2.1\", \"192.0.2.2\"";
  CHECK(with("", balance("www", two, web) + balance("api", two, web + "minimum_healthy = 2\n")).pools.size() == 2);
  CHECK(with("", balance("www", two, web) + balance("api", two, web + "minimum_healthy = 1\n")).pools.size() == 1);
}

TEST_CASE("each key of a check is part of what makes it another target", "[config][pools]") {
  const folder place;
  const std::string trusted = "ca_file = \"" + place.write("ca.pem", "").string() + "\"\n";
  const std::string tcp = "type = \"tcp\"\nport = 80\n";
  const std::string tls = "type = \"tls\"\n";
  const std::string http = "type = \"http\"\n";
  const std::string dns = "type = \"dns\"\n";
  const std::string exec = "type = \"exec\"\n";
  const std::string program = "command = [\"/bin/true\"]\n";
  const std::pair<std::string, std::string> unequal[] = {
      {tcp, tcp + "interval = \"6s\"\n"},
      {tcp, tcp + "interval_in_use = \"1s\"\n"},
      {tcp, tcp + "timeout = \"1s\"\n"},
      {tcp, tcp + "recheck = \"1s\"\n"},
      {tcp, tcp + "fall = 3\n"},
      {tcp, tcp + "rise = 3\n"},
      {tcp, tcp + "rise_growth = 2\n"},
      {tcp, tcp + "rise_most = 37\n"},
      {tcp, tcp + "flap_window = \"1h\"\n"},
      {tls, tls + "server_name = \"a.example\"\n"},
      {tls, tls + "verify = false\n"},
      {tls, tls + trusted},
      {http, http + "method = \"HEAD\"\n"},
      {http, http + "path = \"/x\"\n"},
      {http, http + "host = \"a.example\"\n"},
      {http, http + "status = [200]\n"},
      {http, http + "body = \"x\"\n"},
      {http, http + "body_regex = \"x\"\n"},
      {http, http + "body_limit = 100\n"},
      {dns, dns + "qname = \"a.example\"\n"},
      {dns, dns + "qtype = \"SOA\"\n"},
      {dns, dns + "rcode = \"REFUSED\"\n"},
      {dns, dns + "rdata = [\"ns.example.\"]\n"},
      {exec + program, exec + "command = [\"/bin/true\", \"x\"]\n"},
  };
  const auto targets = [](const std::string& one, const std::string& other) {
    return load_whole(usual_edge + "[[check]]\nname = \"one\"\n" + one + "[[check]]\nname = \"other\"\n" + other +
                      usual_zone + balance("www", "\"192.0.2.1\"", "checks = [\"one\", \"other\"]\n"))
        .servers.targets.size();
  };
  for (const auto& [one, other] : unequal) {
    CAPTURE(other);
    CHECK(targets(one, other) == 2);
    CHECK(targets(other, other) == 1);
  }
}

TEST_CASE("no more than a hundred thousand targets are made", "[config][pools]") {
  std::string names;
  for (int name = 0; name < 400; ++name) {
    std::string servers;
    for (int i = 0; i < 251; ++i)
      servers +=
          "\"10." + std::to_string(name / 250) + "." + std::to_string(name % 250) + "." + std::to_string(i) + "\",";
    names += balance("n" + std::to_string(name), servers, web);
  }
  const lines found = problems_of(usual_edge + checks + usual_zone + names);
  CHECK(found == lines{"edge.toml:1607:11: zone.balance.servers: expected at most 100000 addresses with a check in "
                       "all, found more",
                       "edge.toml:1611:11: zone.balance.servers: expected at most 100000 addresses with a check in "
                       "all, found more"});
}

TEST_CASE("a target goes up and down by the numbers of its check, at its interval", "[config][pools]") {
  const std::string slow = "[[check]]\nname = \"slow\"\ntype = \"icmp\"\ninterval = \"7s\"\nfall = 3\nrise = 5\n";
  const measuring m = with(slow, balance("www", "\"192.0.2.1\"", "checks = [\"slow\"]\n"));
  REQUIRE(m.targets.size() == 1);
  CHECK(m.targets[0].interval == std::chrono::seconds(7));
  CHECK(m.targets[0].health.fall == 3);
  CHECK(m.targets[0].health.rise == 5);
}

}  // namespace nearside::config
