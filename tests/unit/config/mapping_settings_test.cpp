// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

namespace {

/// What a backbone node needs, in seven lines: what follows is in line 8.
const std::string usual_backbone =
    "[backbone]\nlisten = [\"192.0.2.1\", \"2001:db8::1\"]\nnonce_zone = \"B1.who.lb.example.com\"\n"
    "client_ca = \"ca.pem\"\ncertificate = \"b1.pem\"\nkey = \"b1.key\"\n\n";

/// What an edge that registers needs.
const std::string usual_registration =
    "[edge]\nlisten = [\"127.0.0.1\", \"192.0.2.53\"]\n[registration]\nca = \"ca.pem\"\ncertificate = \"e.pem\"\n"
    "key = \"e.key\"\n";
const std::string usual_target =
    "[[registration.backbone]]\naddress = \"192.0.2.1\"\nname = \"b1.ns.lb.example.com\"\n";

/// The problems of one wrong line in [backbone].
lines wrong_backbone(const std::string& line) {
  std::string text = usual_backbone;
  return problems_of(text.substr(0, text.size() - 1) + line + "\n");
}

lines wrong_registration(const std::string& line) {
  return problems_of(usual_registration + line + "\n" + usual_target);
}

}  // namespace

TEST_CASE("a backbone node that says only what it must has the defaults for all else", "[config][backbone]") {
  const settings s = load_whole(usual_backbone).options;
  REQUIRE(s.backbone);
  CHECK_FALSE(s.registration);
  CHECK(s.answering.listen == std::vector{make_address("192.0.2.1"), make_address("2001:db8::1")});
  CHECK(s.answering.direct_listen.empty());
  CHECK(s.maps.mapping4 == 100'000U);
  CHECK(s.maps.mapping6 == 100'000U);
  CHECK(s.maps.sites == 65'536U);
  CHECK(s.maps.large_images == 65'536U);
  CHECK(s.maps.mapped_sets == 8U);
  CHECK(s.backbone->nonce_zone == "b1.who.lb.example.com.");
  CHECK(s.backbone->registration_listen ==
        std::vector<service_point>{{make_address("192.0.2.1"), 8443}, {make_address("2001:db8::1"), 8443}});
  CHECK(s.backbone->registration_connections == 4096);
  CHECK(s.backbone->tls.ca.filename() == "ca.pem");
  CHECK(s.backbone->tls.ca.is_absolute());
  CHECK(s.backbone->longest_lease == 1h);
  CHECK(s.backbone->row_age == 6h);
  CHECK(s.backbone->report_max_age == 60s);
  CHECK(s.backbone->check_interval == 5s);
  CHECK(s.backbone->check_timeout == 1s);
  CHECK(s.backbone->direct_ns.empty());
  CHECK(s.backbone->prefix_table.empty());
  CHECK(s.backbone->maxmind.empty());
  CHECK(s.backbone->edges.empty());
  CHECK(s.backbone->etcd.endpoints.empty());
}

TEST_CASE("a backbone node has room for the referral of each of its sites", "[config][backbone]") {
  const auto large_images = [](const std::string& maps) {
    return load_whole(usual_backbone + "[maps]\n" + maps).options.maps.large_images;
  };
  CHECK(large_images("sites = 100000\n") == 100'000U);
  CHECK(large_images("sites = 64\n") == 4096U);
  CHECK(large_images("sites = 4194304\n") == 1'048'576U);
  CHECK(large_images("sites = 100000\nlarge_images = 512\n") == 512U);
}

TEST_CASE("every setting of a backbone node is read", "[config][backbone]") {
  const folder place;
  place.write("near.txt",
              "# the nearest first\n192.0.2.0/24 e1.ns.lb.example.com E2.ns.lb.example.com\n\n"
              "2001:db8::/48\te2.ns.lb.example.com  # one\n");
  const auto read = load(place.write("backbone.toml", R"(
[backbone]
listen = ["192.0.2.1"]
direct_listen = ["192.0.2.2", "2001:db8::2"]
direct_ns = ["D1.ns.lb.example.com", "d2.ns.lb.example.com."]
nonce_zone = "b1.who.lb.example.com"
registration_listen = ["192.0.2.1:444", "[2001:db8::1]:445", "192.0.2.3"]
registration_connections = 17
client_ca = "ca.pem"
certificate = "/etc/b1.pem"
key = "b1.key"
longest_lease = "10m"
row_age = "1d"
report_max_age = "2m"
check_interval = "250ms"
check_timeout = "100ms"
public_resolvers = ["203.0.113.0/24"]
prefix_table = "near.txt"
maxmind = "city.mmdb"
[[backbone.edge]]
name = "E1.ns.lb.example.com"
weight = 3
latitude = 50.5
longitude = -8
egresses = ["198.51.100.0/24", "2001:db8:1::/48"]
[backbone.etcd]
endpoints = ["https://192.0.2.9:2379/", "https://[2001:db8::9]:2380", "https://etcd.example.net"]
ca = "etcd.pem"
user = "nearside"
password_file = "password"
prefix = "/dns/"
)"));
  for (const std::string& line : problems_of(read)) UNSCOPED_INFO(line);
  REQUIRE(std::holds_alternative<loaded>(read));
  const settings& s = std::get<loaded>(read).options;
  const backbone_settings& b = *s.backbone;
  CHECK(s.answering.listen ==
        std::vector{make_address("192.0.2.1"), make_address("192.0.2.2"), make_address("2001:db8::2")});
  CHECK(s.answering.direct_listen == std::vector{make_address("192.0.2.2"), make_address("2001:db8::2")});
  CHECK(b.direct_ns == lines{"d1.ns.lb.example.com.", "d2.ns.lb.example.com."});
  CHECK(b.registration_listen == std::vector<service_point>{{make_address("192.0.2.1"), 444},
                                                            {make_address("2001:db8::1"), 445},
                                                            {make_address("192.0.2.3"), 8443}});
  CHECK(b.registration_connections == 17);
  CHECK(b.tls.certificate == "/etc/b1.pem");
  CHECK(b.longest_lease == 10min);
  CHECK(b.row_age == 24h);
  CHECK(b.report_max_age == 2min);
  CHECK(b.check_interval == 250ms);
  CHECK(b.check_timeout == 100ms);
  CHECK(b.public_resolvers == std::vector{mapping::parse_prefix("203.0.113.0/24").value()});
  REQUIRE(b.prefix_table.size() == 2);
  CHECK(b.prefix_table[0].who == mapping::parse_prefix("192.0.2.0/24").value());
  CHECK(b.prefix_table[0].edges == lines{"e1.ns.lb.example.com.", "e2.ns.lb.example.com."});
  CHECK(b.prefix_table[1].edges == lines{"e2.ns.lb.example.com."});
  CHECK(b.maxmind == place.path() / "city.mmdb");
  REQUIRE(b.edges.size() == 1);
  CHECK(b.edges[0].name == "e1.ns.lb.example.com.");
  CHECK(b.edges[0].weight == 3);
  CHECK(b.edges[0].location == std::pair(50.5, -8.0));
  CHECK(b.edges[0].egresses.size() == 2);
  CHECK(b.etcd.endpoints ==
        std::vector<host_point>{{"192.0.2.9", 2379}, {"2001:db8::9", 2380}, {"etcd.example.net", 2379}});
  CHECK(b.etcd.user == "nearside");
  CHECK(b.etcd.password_file == place.path() / "password");
  CHECK(b.etcd.prefix == "/dns/");
}

TEST_CASE("a node is an edge or a backbone node", "[config][backbone]") {
  CHECK(problems_of(usual_backbone + "[edge]\nlisten = [\"192.0.2.3\"]\n") ==
        lines{"edge.toml:1:1: backbone: expected [edge] or [backbone], found both: a node is one of the two"});
  CHECK(problems_of("[node]\nname = \"e1.example.com\"\n") ==
        lines{"edge.toml: edge: expected a section [edge] or [backbone] with the addresses to answer on, found none"});
  CHECK(problems_of(usual_backbone + "[registration]\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\n" + usual_target) ==
        lines{"edge.toml:8:1: registration: expected only beside [edge]: it is edges that register"});
}

TEST_CASE("what a backbone node needs is asked for", "[config][backbone]") {
  CHECK(
      problems_of("[backbone]\nlisten = [\"192.0.2.1\"]\n") ==
      lines{"edge.toml:1:1: backbone.nonce_zone: expected this node's zone for nonces, like "
            "\"b1.who.lb.example.com\", found none",
            "edge.toml:1:1: backbone.client_ca: expected the file of the CA that signs the other side's certificates, "
            "found none",
            "edge.toml:1:1: backbone.certificate: expected the file of our certificate, found none",
            "edge.toml:1:1: backbone.key: expected the file of our certificate's key, found none"});
}

TEST_CASE("an address is listened on once, to refer or in the edges' stead", "[config][backbone]") {
  CHECK(wrong_backbone(R"(direct_listen = ["192.0.2.1"])") ==
        lines{R"(edge.toml:7:18: backbone.direct_listen: "192.0.2.1" is given twice)"});
}

TEST_CASE("what is wrong about registrations is told", "[config][backbone]") {
  CHECK(wrong_backbone(R"(registration_listen = ["192.0.2.1:0"])") ==
        lines{R"(edge.toml:7:24: backbone.registration_listen: expected an address, or an address and a port like )"
              R"("192.0.2.1:8443" or "[2001:db8::1]:8443", found "192.0.2.1:0": a port is 1 to 65535)"});
  for (const char* wrong : {"example.com", "[2001:db8::1", "[2001:db8::1]8443", "192.0.2.1:65536", "192.0.2.1:"})
    CHECK(wrong_backbone(std::string("registration_listen = [\"") + wrong + "\"]").size() == 1);
  CHECK(wrong_backbone("longest_lease = \"9s\"").size() == 1);
  CHECK(wrong_backbone("check_interval = \"99ms\"").size() == 1);
  CHECK(wrong_backbone("public_resolvers = [\"203.0.113.1/24\"]").size() == 1);
  CHECK(wrong_backbone("direct_ns = [\"d1.example.com\", \"D1.example.com.\"]").size() == 1);
}

TEST_CASE("what is wrong about a known edge is told", "[config][backbone]") {
  CHECK(wrong_backbone("[[backbone.edge]]\nweight = 1") ==
        lines{"edge.toml:7:1: backbone.edge.name: expected the edge's name, found none"});
  CHECK(wrong_backbone("[[backbone.edge]]\nname = \"e1.example.com\"\nlatitude = 3") ==
        lines{"edge.toml:7:1: backbone.edge.latitude: expected latitude and longitude, found one of the two"});
  CHECK(wrong_backbone("[[backbone.edge]]\nname = \"e1.example.com\"\nlatitude = 91\nlongitude = 0").size() == 1);
  CHECK(wrong_backbone("[[backbone.edge]]\nname = \"e1.example.com\"\n[[backbone.edge]]\nname = \"E1.example.com.\"")
            .size() == 1);
}

TEST_CASE("every problem of the prefix table is told with its line", "[config][backbone]") {
  const folder place;
  place.write("near.txt",
              "192.0.2.0/24 e1.example.com\n192.0.2.1/24 e1.example.com\n198.51.100.0/24\n"
              "192.0.2.0/24 e2.example.com\n203.0.113.0/24 a b c d\n203.0.113.0/24 a..b\n");
  const auto found = problems_of(load(
      place.write("b.toml", usual_backbone.substr(0, usual_backbone.size() - 1) + "prefix_table = \"near.txt\"\n")));
  REQUIRE(found.size() == 5);
  CHECK(found[0].starts_with("near.txt:2: "));
  CHECK(found[1] == "near.txt:3: expected a prefix and one to 3 names of edges, found 1 words");
  CHECK(found[2] == "near.txt:4: 192.0.2.0/24 is in line 1 already");
  CHECK(found[3] == "near.txt:5: expected a prefix and one to 3 names of edges, found 5 words");
  CHECK(found[4].starts_with("near.txt:6: expected the name of an edge, found \"a..b\": "));
  CHECK(wrong_backbone("prefix_table = \"none.txt\"").size() == 1);
}

TEST_CASE("what is wrong about etcd is told", "[config][backbone]") {
  for (const char* wrong :
       {"http://192.0.2.9", "https://", "https://:2379", "https://192.0.2.9:0", "https://192.0.2.9:x",
        "https://192.0.2.9:65536", "https://a..b", "https://etcd.example.net/v3", "https://[::1"}) {
    CAPTURE(wrong);
    CHECK(wrong_backbone("[backbone.etcd]\nendpoints = [\"" + std::string(wrong) + "\"]\nca = \"ca.pem\"").size() == 1);
  }
  CHECK(wrong_backbone("[backbone.etcd]\nendpoints = [\"https://192.0.2.9\"]\nca = \"ca.pem\"\nuser = \"a\"") ==
        lines{"edge.toml:7:1: backbone.etcd.user: expected user and password_file, found one of the two"});
  CHECK(
      wrong_backbone("[backbone.etcd]\nendpoints = [\"https://192.0.2.9\"]\nca = \"ca.pem\"\nprefix = \"a/\"").size() ==
      1);
}

TEST_CASE("an edge that registers has the defaults for what it does not say", "[config][registration]") {
  const settings s = load_whole(usual_registration + usual_target).options;
  REQUIRE(s.registration);
  const registration_settings& r = *s.registration;
  CHECK(r.addresses == std::vector{make_address("192.0.2.53")});
  REQUIRE(r.backbones.size() == 1);
  CHECK(r.backbones[0].point == service_point{make_address("192.0.2.1"), 8443});
  CHECK(r.backbones[0].name == "b1.ns.lb.example.com.");
  CHECK(r.resolvers.empty());
  CHECK(r.resolv_conf == "/etc/resolv.conf");
  CHECK(r.lifetime == 300s);
  CHECK(r.burst == 20);
  CHECK(r.trickle == 30s);
  CHECK(r.row_age == 6h);
  CHECK(r.refresh == 30s);
}

TEST_CASE("every setting of a registration is read", "[config][registration]") {
  const settings s = load_whole(usual_registration + R"(
addresses = ["198.51.100.53"]
resolvers = ["198.51.100.1", "2001:db8::1"]
resolv_conf = "/run/resolv.conf"
systemd_resolved = "/run/other"
lifetime = "1m"
burst = 7
trickle = "2s"
row_age = "1h"
refresh = "5s"
[[registration.backbone]]
address = "[2001:db8::2]:444"
name = "b2.example.com"
)" + usual_target)
                         .options;
  const registration_settings& r = *s.registration;
  CHECK(r.addresses == std::vector{make_address("198.51.100.53")});
  CHECK(r.resolvers == std::vector{make_address("198.51.100.1"), make_address("2001:db8::1")});
  CHECK(r.resolv_conf == "/run/resolv.conf");
  CHECK(r.systemd_resolved == "/run/other");
  CHECK(r.lifetime == 60s);
  CHECK(r.burst == 7);
  CHECK(r.trickle == 2s);
  CHECK(r.row_age == 1h);
  CHECK(r.refresh == 5s);
  REQUIRE(r.backbones.size() == 2);
  CHECK(r.backbones[0].point == service_point{make_address("2001:db8::2"), 444});
}

TEST_CASE("what is wrong about a registration is told", "[config][registration]") {
  CHECK(problems_of(usual_registration) ==
        lines{"edge.toml:3:1: registration.backbone: expected a [[registration.backbone]] to register at, found none"});
  CHECK(wrong_registration("lifetime = \"9s\"").size() == 1);
  CHECK(wrong_registration("burst = 0").size() == 1);
  CHECK(wrong_registration("addresses = []").size() == 1);
  CHECK(wrong_registration("resolvers = [\"::\"]").size() == 1);
  CHECK(wrong_registration(usual_target).size() == 1);
  CHECK(wrong_registration("[[registration.backbone]]").size() == 2);
}

}  // namespace nearside::config
