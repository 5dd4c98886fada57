// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

namespace {

/// The problems of one wrong value: `key = value` in line 2 of a section of its own.
lines wrong(const std::string& section, const std::string& key_and_value) {
  return problems_of("[" + section + "]\n" + key_and_value + "\n" + (section == "edge" ? "" : usual_edge));
}

lines wrong_listen(const std::string& addresses) { return wrong("edge", "listen = [" + addresses + "]"); }

}  // namespace

TEST_CASE("a file with only an address to answer on has the defaults for all else", "[config][settings]") {
  const settings s = load_whole(usual_edge).options;
  CHECK_FALSE(s.node.name.empty());
  CHECK(s.node.id == s.node.name);
  CHECK(s.node.version.empty());
  CHECK(s.answering.interfaces.empty());
  CHECK(s.answering.listen == std::vector{make_address("192.0.2.53")});
  CHECK(s.answering.port == 53);
  CHECK(s.answering.lease == 10s);
  CHECK(s.answering.replies == reply_route::automatic);
  CHECK(s.answering.stale == stale_rule::pass);
  CHECK(s.serve.tcp_connections == 1000);
  CHECK(s.serve.tcp_idle == 10s);
  CHECK(s.serve.tcp_pipeline == 32);
  CHECK(s.maps.names == 65536);
  CHECK(s.maps.long_names == 4096);
  CHECK(s.maps.sets == 16384);
  CHECK(s.maps.small_images == 65536);
  CHECK(s.maps.large_images == 4096);
  CHECK_FALSE(s.maps.mapping4);
  CHECK_FALSE(s.maps.mapping6);
  CHECK_FALSE(s.maps.sites);
  CHECK_FALSE(s.maps.mapped_sets);
  CHECK(s.events.sample_interval == 0);
  CHECK(s.log.level == log_level::info);
  CHECK(s.control.socket == "/run/nearside/control.sock");
  CHECK(s.state.directory == "/var/lib/nearside");
  CHECK(s.record.file.empty());
}

TEST_CASE("every setting of the file is read", "[config][settings]") {
  const settings s = load_whole(R"(
[node]
name = "e17.example.net"
id = "e17"
version = "nearside"
[edge]
interfaces = ["eth0", "eth1"]
listen = ["192.0.2.53", "2001:db8::53", "127.0.0.1", "::1"]
port = 5353
lease = "250s"
replies = "lookup"
stale = "all"
[serve]
tcp_connections = 7
tcp_idle = "250ms"
tcp_pipeline = 3
[maps]
names = 17
long_names = 18
sets = 19
small_images = 20
large_images = 21
mapping4 = 22
mapping6 = 23
sites = 24
mapped_sets = 25
[events]
sample_interval = 100
[log]
level = "debug"
[control]
socket = "/run/other.sock"
[state]
directory = "/srv/state"
[record]
file = "/srv/samples.jsonl"
)")
                         .options;
  CHECK(s.node.name == "e17.example.net");
  CHECK(s.node.id == "e17");
  CHECK(s.node.version == "nearside");
  CHECK(s.answering.interfaces == lines{"eth0", "eth1"});
  CHECK(s.answering.listen == std::vector{make_address("192.0.2.53"), make_address("2001:db8::53"),
                                          make_address("127.0.0.1"), make_address("::1")});
  CHECK(s.answering.port == 5353);
  CHECK(s.answering.lease == 250s);
  CHECK(s.answering.replies == reply_route::lookup);
  CHECK(s.answering.stale == stale_rule::all);
  CHECK(s.serve.tcp_connections == 7);
  CHECK(s.serve.tcp_idle == 250ms);
  CHECK(s.serve.tcp_pipeline == 3);
  CHECK(s.maps.names == 17);
  CHECK(s.maps.long_names == 18);
  CHECK(s.maps.sets == 19);
  CHECK(s.maps.small_images == 20);
  CHECK(s.maps.large_images == 21);
  CHECK(s.maps.mapping4 == 22);
  CHECK(s.maps.mapping6 == 23);
  CHECK(s.maps.sites == 24);
  CHECK(s.maps.mapped_sets == 25);
  CHECK(s.events.sample_interval == 100);
  CHECK(s.log.level == log_level::debug);
  CHECK(s.control.socket == "/run/other.sock");
  CHECK(s.state.directory == "/srv/state");
  CHECK(s.record.file == "/srv/samples.jsonl");
}

TEST_CASE("the id is the node's name unless it is given, even as nothing", "[config][settings]") {
  CHECK(load_whole("[node]\nname = \"e17.example.net\"\n" + usual_edge).options.node.id == "e17.example.net");
  CHECK(load_whole("[node]\nid = \"\"\n" + usual_edge).options.node.id.empty());
}

TEST_CASE("a number or a duration out of its bounds is told with the bounds", "[config][settings]") {
  const std::string listen = "\nlisten = [\"192.0.2.53\"]";
  CHECK(wrong("edge", "port = 0" + listen) ==
        lines{"edge.toml:2:8: edge.port: expected an integer from 1 to 65535, found the integer 0"});
  CHECK(wrong("edge", "port = 65536" + listen) ==
        lines{"edge.toml:2:8: edge.port: expected an integer from 1 to 65535, found the integer 65536"});
  CHECK(wrong("edge", "port = \"53\"" + listen) ==
        lines{"edge.toml:2:8: edge.port: expected an integer from 1 to 65535, found the string \"53\""});
  CHECK(wrong("edge", "lease = \"999ms\"" + listen) == lines{"edge.toml:2:9: edge.lease: expected a duration with its "
                                                             "unit from \"1s\" to \"1h\", found the string \"999ms\""});
  CHECK(wrong("edge", "lease = \"61m\"" + listen).size() == 1);
  CHECK(
      wrong("edge", "lease = 10" + listen) ==
      lines{
          "edge.toml:2:9: edge.lease: expected a duration with its unit from \"1s\" to \"1h\", found the integer 10"});
  CHECK(wrong("serve", "tcp_connections = 0").size() == 1);
  CHECK(wrong("serve", "tcp_connections = 65537").size() == 1);
  CHECK(wrong("serve", "tcp_pipeline = 1001").size() == 1);
  CHECK(wrong("serve", "tcp_idle = \"99ms\"").size() == 1);
  for (const char* map : {"names", "long_names", "sets", "small_images", "large_images"}) {
    CAPTURE(map);
    CHECK(wrong("maps", std::string(map) + " = 15").size() == 1);
    CHECK(wrong("maps", std::string(map) + " = 16").empty());
    CHECK(wrong("maps", std::string(map) + " = 16777217").size() == 1);
  }
  for (const char* map : {"mapping4", "mapping6", "sites"}) {
    CAPTURE(map);
    CHECK(wrong("maps", std::string(map) + " = 0").size() == 1);
    CHECK(wrong("maps", std::string(map) + " = 1").empty());
    CHECK(wrong("maps", std::string(map) + " = 16777216").empty());
    CHECK(wrong("maps", std::string(map) + " = 16777217").size() == 1);
  }
  CHECK(wrong("maps", "mapped_sets = 0").size() == 1);
  CHECK(wrong("maps", "mapped_sets = 256").empty());
  CHECK(wrong("maps", "mapped_sets = 257").size() == 1);
  CHECK(wrong("events", "sample_interval = -1").size() == 1);
}

TEST_CASE("a choice among words is told with the words", "[config][settings]") {
  CHECK(wrong("log", "level = \"loud\"") ==
        lines{"edge.toml:2:9: log.level: expected \"error\", \"warn\", \"info\" or \"debug\", found \"loud\""});
  CHECK(wrong("edge", "replies = \"\"\nlisten = [\"192.0.2.53\"]") ==
        lines{"edge.toml:2:11: edge.replies: expected \"auto\", \"swap\" or \"lookup\", found \"\""});
}

TEST_CASE("an address that is not one host's cannot be listened on", "[config][settings]") {
  CHECK(
      wrong_listen("\"0.0.0.0\"") ==
      lines{
          "edge.toml:2:11: edge.listen: expected the address of one host, found \"0.0.0.0\", the unspecified address"});
  CHECK(wrong_listen("\"::\"") ==
        lines{"edge.toml:2:11: edge.listen: expected the address of one host, found \"::\", the unspecified address"});
  CHECK(
      wrong_listen("\"224.0.0.251\"") ==
      lines{
          "edge.toml:2:11: edge.listen: expected the address of one host, found \"224.0.0.251\", a multicast address"});
  CHECK(wrong_listen("\"ff02::fb\"").size() == 1);
  CHECK(wrong_listen("\"255.255.255.255\"") == lines{"edge.toml:2:11: edge.listen: expected the address of one host, "
                                                     "found \"255.255.255.255\", the broadcast address"});
  for (const char* text :
       {"192.0.2", "192.0.2.053", "192.0.2.256", "192.0.2.53:53", "192.0.2.0/24", "2001:db8::53%eth0", "[2001:db8::1]",
        "::ffff:192.0.2.53", "edge.example.com", "", "192.0.2.53\\u0000"}) {
    CAPTURE(text);
    CHECK(wrong_listen("\"" + std::string(text) + "\"").size() == 1);
  }
}

TEST_CASE("an address written twice, in whatever notation, is a problem", "[config][settings]") {
  CHECK(wrong_listen("\"2001:db8::53\", \"2001:DB8:0::53\"") ==
        lines{"edge.toml:2:27: edge.listen: \"2001:DB8:0::53\" is given twice"});
}

TEST_CASE("the kernel takes eight addresses of each family and no more", "[config][settings]") {
  std::string eight;
  for (int i = 1; i <= 8; ++i)
    eight += "\"192.0.2." + std::to_string(i) + "\", \"2001:db8::" + std::to_string(i) + "\", ";
  CHECK(wrong_listen(eight).empty());
  CHECK_THAT(wrong_listen(eight + "\"192.0.2.9\"").at(0),
             Catch::Contains("at most 8 addresses of each family, found the 9th IPv4"));
  CHECK_THAT(wrong_listen(eight + "\"2001:db8::9\"").at(0), Catch::Contains("found the 9th IPv6"));
}

TEST_CASE("a file that does not say where to answer is told so", "[config][settings]") {
  CHECK(problems_of("") ==
        lines{"edge.toml: edge: expected a section [edge] or [backbone] with the addresses to answer on, found none"});
  CHECK(problems_of("\n[edge]\n") ==
        lines{"edge.toml:2:1: edge.listen: expected the addresses to answer on, found none"});
  CHECK(wrong_listen("") == lines{"edge.toml:2:10: edge.listen: expected at least one address, found none"});
}

TEST_CASE("a name that no network interface can have is a problem", "[config][settings]") {
  const std::string listen = "\nlisten = [\"192.0.2.53\"]";
  for (const char* name : {"", ".", "..", "eth0/1", "eth 0", "sixteen-letters-", "eth0:1"}) {
    CAPTURE(name);
    CHECK(wrong("edge", "interfaces = [\"" + std::string(name) + "\"]" + listen).size() == 1);
  }
  CHECK(wrong("edge", "interfaces = [\"eth0\", \"eth0\"]" + listen) ==
        lines{"edge.toml:2:23: edge.interfaces: \"eth0\" is given twice"});
}

TEST_CASE("what the node says of itself must fit in DNS", "[config][settings]") {
  CHECK_THAT(wrong("node", "name = \"a..example\"").at(0),
             Catch::Contains("edge.toml:2:8: node.name: expected a domain name"));
  std::string escaped;
  for (int octet = 0; octet < 60; ++octet) escaped += "\\001";
  escaped += "." + escaped;
  CHECK(wrong("node", "name = '" + escaped + "'") ==
        lines{"edge.toml:2:8: node.name: expected at most 255 octets, found 481"});
  CHECK(wrong("node", "id = \"" + std::string(256, 'x') + "\"") ==
        lines{"edge.toml:2:6: node.id: expected at most 255 octets, found 256"});
  CHECK(wrong("node", "version = \"" + std::string(255, 'x') + "\"").empty());
}

TEST_CASE("the control socket needs an absolute path that a socket address can hold", "[config][settings]") {
  CHECK(wrong("control", "socket = \"control.sock\"").size() == 1);
  CHECK(wrong("control", "socket = \"/" + std::string(106, 'x') + "\"").empty());
  CHECK(wrong("control", "socket = \"/" + std::string(107, 'x') + "\"").size() == 1);
}

TEST_CASE("the folder of the state is absolute, the record is relative to the configuration", "[config][settings]") {
  CHECK(wrong("state", "directory = \"state\"") ==
        lines{"edge.toml:2:13: state.directory: expected an absolute path of at most 4095 octets, found \"state\""});
  CHECK(wrong("record", "file = \"samples/\"") ==
        lines{"edge.toml:2:8: record.file: expected the path of a file, of at most 4095 octets, found \"samples/\""});
  CHECK(wrong("edge", "stale = \"al\"\nlisten = [\"192.0.2.53\"]") ==
        lines{"edge.toml:2:9: edge.stale: expected \"pass\" or \"all\", found \"al\", did you mean \"all\"?"});
  const folder place;
  const auto result = load(place.write("edge.toml", usual_edge + "[record]\nfile = \"samples.jsonl\"\n"));
  CHECK(std::get<loaded>(result).options.record.file == place.path() / "samples.jsonl");
  CHECK(load_whole(usual_edge + "[record]\nfile = \"\"\n").options.record.file.empty());
}

TEST_CASE("the bounds of probes and the numbers of the policy latency have their defaults", "[config][settings]") {
  const measuring m = load_whole(usual_edge).servers;
  CHECK(m.probe.concurrency == 512);
  CHECK(m.probe.per_address == 10);
  CHECK(m.probe.jitter == 0.1);
  CHECK(m.latency == score::latency_settings{20s, 4, 300us, 500, 500ms, 3000ms, 30s, 0.1});
}

TEST_CASE("the bounds of probes and the numbers of the policy latency are read", "[config][settings]") {
  const measuring m = load_whole(usual_edge + R"([probe]
concurrency = 7
per_address = 2.5
jitter = 0
[latency]
smoothing = "10s"
clip_deviations = 3.5
margin = "450us"
evidence = 250
lost_penalty = "1s"
failed_penalty = "2s"
penalty_smoothing = "40s"
first_loss_share = 1
)")
                          .servers;
  CHECK(m.probe.concurrency == 7);
  CHECK(m.probe.per_address == 2.5);
  CHECK(m.probe.jitter == 0);
  CHECK(m.latency == score::latency_settings{10s, 3.5, 450us, 250, 1s, 2s, 40s, 1});
}

TEST_CASE("a number of [probe] and [latency] is told with its bounds", "[config][settings]") {
  CHECK(wrong("probe", "concurrency = 0").size() == 1);
  CHECK(wrong("probe", "concurrency = 65537").size() == 1);
  CHECK(wrong("probe", "per_address = 0.05").size() == 1);
  CHECK(wrong("probe", "jitter = 0.6") ==
        lines{"edge.toml:2:10: probe.jitter: expected a number from 0 to 0.5, found the number 0.6"});
  CHECK(wrong("probe", "per_address = inf") ==
        lines{"edge.toml:2:15: probe.per_address: expected a number from 0.1 to 10000, found the number inf"});
  CHECK(wrong("latency", "first_loss_share = 2") ==
        lines{"edge.toml:2:20: latency.first_loss_share: expected a number from 0 to 1, found the integer 2"});
  CHECK(wrong("latency", "margin = \"11s\"") ==
        lines{"edge.toml:2:10: latency.margin: expected a duration with its unit from \"0s\" to \"10s\", found the "
              "string \"11s\""});
}

}  // namespace nearside::config
