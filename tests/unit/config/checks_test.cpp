// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

using namespace std::chrono_literals;

namespace {

/// A [[check]] of this type: its table begins in line 4, the rest in line 7.
std::string of_type(const std::string& type, const std::string& rest) {
  return usual_edge + "[[check]]\nname = \"web\"\ntype = \"" + type + "\"\n" + rest;
}

lines wrong(const std::string& type, const std::string& rest) { return problems_of(of_type(type, rest)); }

check only_check(const std::string& type, const std::string& rest) {
  const loaded good = load_whole(of_type(type, rest));
  REQUIRE(good.servers.checks.size() == 1);
  return good.servers.checks.front();
}

}  // namespace

TEST_CASE("a check of a name and a type has the defaults for all else", "[config][checks]") {
  const check c = only_check("http", "");
  CHECK(c.name == "web");
  CHECK(c.type == check_type::http);
  CHECK(c.port == 80);
  CHECK(c.interval == 5s);
  CHECK(c.interval_in_use == 700ms);
  CHECK(c.timeout == 500ms);
  CHECK(c.recheck == 200ms);
  CHECK(c.health == score::health_settings{2, 4, 3, 36, 30min});
  CHECK(c.method == "GET");
  CHECK(c.path == "/");
  CHECK(c.host.empty());
  CHECK(c.status == std::vector<std::pair<std::uint16_t, std::uint16_t>>{{200, 399}});
  CHECK(c.body_limit == 65536);
  CHECK(c.verify);
}

TEST_CASE("the port of a check is the one of its protocol", "[config][checks]") {
  CHECK(only_check("https", "").port == 443);
  CHECK(only_check("tls", "").port == 443);
  CHECK(only_check("dns", "").port == 53);
  CHECK(only_check("icmp", "").port == 0);
  CHECK(only_check("tcp", "port = 25\n").port == 25);
  CHECK(only_check("https", "port = 8443\n").port == 8443);
}

TEST_CASE("every key of a check is read", "[config][checks]") {
  const check c = only_check("https", R"(port = 8443
interval = "10s"
interval_in_use = "2s"
timeout = "1s"
recheck = "300ms"
fall = 3
rise = 5
rise_growth = 2
rise_most = 20
flap_window = "1h"
server_name = "www.example.com"
verify = true
method = "POST"
path = "/health?deep=1"
host = "www.example.com:8443"
status = [204, "301", "200-203"]
body = "ok"
body_regex = "^ok (all|most)$"
body_limit = 1000
)");
  CHECK(c.port == 8443);
  CHECK(c.interval == 10s);
  CHECK(c.interval_in_use == 2s);
  CHECK(c.timeout == 1s);
  CHECK(c.recheck == 300ms);
  CHECK(c.health == score::health_settings{3, 5, 2, 20, 1h});
  CHECK(c.server_name == "www.example.com");
  CHECK(c.method == "POST");
  CHECK(c.path == "/health?deep=1");
  CHECK(c.host == "www.example.com:8443");
  CHECK(c.status == std::vector<std::pair<std::uint16_t, std::uint16_t>>{{204, 204}, {301, 301}, {200, 203}});
  CHECK(c.body == "ok");
  CHECK(c.body_regex == "^ok (all|most)$");
  CHECK(c.body_limit == 1000);

  const check d = only_check("dns", "qname = \"lb.example.com\"\nqtype = \"A\"\nrdata = [\"192.0.2.1\"]\n");
  CHECK(d.qname == "lb.example.com.");
  CHECK(d.qtype == 1);
  CHECK(d.rcode == 0);
  CHECK(d.rdata == lines{"192.0.2.1"});
  CHECK(only_check("dns", "rcode = \"NXDOMAIN\"\n").rcode == 3);
  CHECK(only_check("exec", "command = [\"/bin/sh\", \"-c\", \"true\"]\n").command == lines{"/bin/sh", "-c", "true"});
}

TEST_CASE("a check needs a name and a type", "[config][checks]") {
  CHECK(problems_of(usual_edge + "[[check]]\ntype = \"icmp\"\n") ==
        lines{"edge.toml:4:1: check.name: expected the check's name, found none"});
  CHECK(problems_of(usual_edge + "[[check]]\nname = \"web\"\npath = \"/\"\n") ==
        lines{"edge.toml:4:1: check.type: expected \"icmp\", \"tcp\", \"tls\", \"http\", \"https\", \"dns\" or "
              "\"exec\", found none"});
  CHECK(wrong("htpp", "path = \"/\"\n") ==
        lines{"edge.toml:6:8: check.type: expected \"icmp\", \"tcp\", \"tls\", \"http\", \"https\", \"dns\" or "
              "\"exec\", found \"htpp\", did you mean \"http\"?"});
  CHECK(problems_of(usual_edge + "[[check]]\nname = \"a/b\"\ntype = \"icmp\"\n") ==
        lines{"edge.toml:5:8: check.name: expected 1 to 128 letters, digits, \"-\", \"_\" and \".\", found \"a/b\""});
  CHECK(wrong("icmp", "[[check]]\nname = \"web\"\ntype = \"icmp\"\n") ==
        lines{"edge.toml:8:8: check.name: check \"web\" is given twice, first in line 5"});
}

TEST_CASE("a check over TCP needs a port, and one without ports has none", "[config][checks]") {
  CHECK(wrong("tcp", "") == lines{"edge.toml:4:1: check.port: expected the port to connect to, found none"});
  CHECK(wrong("tcp", "port = 0\n") ==
        lines{"edge.toml:7:8: check.port: expected an integer from 1 to 65535, found the integer 0"});
  const std::string only_with_ports =
      "check.port: expected only in a check of type \"tcp\", \"tls\", \"http\", \"https\" or \"dns\", this one is ";
  CHECK(wrong("icmp", "port = 7\n") == lines{"edge.toml:7:8: " + only_with_ports + "\"icmp\""});
  CHECK(wrong("exec", "port = 7\ncommand = [\"/bin/true\"]\n") ==
        lines{"edge.toml:7:8: " + only_with_ports + "\"exec\""});
}

TEST_CASE("a key that belongs to another type of check is told so", "[config][checks]") {
  CHECK(wrong("tcp", "port = 80\npath = \"/\"\n") ==
        lines{"edge.toml:8:8: check.path: expected only in a check of type \"http\" or \"https\", this one is "
              "\"tcp\""});
  CHECK(wrong("http", "verify = false\n") ==
        lines{"edge.toml:7:10: check.verify: expected only in a check of type \"tls\" or \"https\", this one is "
              "\"http\""});
  CHECK(wrong("icmp", "command = [\"/bin/true\"]\n") ==
        lines{"edge.toml:7:11: check.command: expected only in a check of type \"exec\", this one is \"icmp\""});
  CHECK(wrong("http", "pth = \"/\"\n") == lines{"edge.toml:7:1: unknown key \"check.pth\", did you mean \"path\"?"});
}

TEST_CASE("the times of a check make sense together", "[config][checks]") {
  CHECK(wrong("icmp", "interval = \"2s\"\ntimeout = \"3s\"\n") ==
        lines{"edge.toml:8:11: check.timeout: expected no more than interval, \"2s\", found \"3s\""});
  CHECK(wrong("icmp", "interval = \"2s\"\ninterval_in_use = \"3s\"\n") ==
        lines{"edge.toml:8:19: check.interval_in_use: expected no more than interval, \"2s\", found \"3s\""});
  CHECK(wrong("icmp", "recheck = \"6s\"\n") ==
        lines{"edge.toml:7:11: check.recheck: expected no more than interval, \"5s\", found \"6s\""});
  CHECK(wrong("icmp", "timeout = \"5500us\"\n").size() == 1);
  CHECK(wrong("icmp", "timeout = \"10500us\"\n") ==
        lines{"edge.toml:7:11: check.timeout: expected whole milliseconds, found \"10500us\""});
}

TEST_CASE("a time-out longer than the interval in use is allowed, and short intervals shorten the defaults",
          "[config][checks]") {
  CHECK(only_check("icmp", "timeout = \"3s\"\n").timeout == 3s);
  const check fast = only_check("icmp", "interval = \"100ms\"\n");
  CHECK(fast.interval_in_use == 100ms);
  CHECK(fast.timeout == 100ms);
  CHECK(fast.recheck == 100ms);
}

TEST_CASE("the number of successes that make a server up has a most that is no less", "[config][checks]") {
  CHECK(wrong("icmp", "rise = 5\nrise_most = 4\n") ==
        lines{"edge.toml:8:13: check.rise_most: expected no less than rise, 5, found 4"});
  CHECK(only_check("icmp", "rise = 50\n").health.rise_most == 50);
  CHECK(wrong("icmp", "fall = 0\n") ==
        lines{"edge.toml:7:8: check.fall: expected an integer from 1 to 1000, found the integer 0"});
}

TEST_CASE("the times and numbers of a check have bounds", "[config][checks]") {
  for (const char* good : {"interval = \"100ms\"\n", "interval = \"1h\"\n", "interval_in_use = \"100ms\"\n",
                           "timeout = \"10ms\"\n", "interval = \"1h\"\ntimeout = \"1m\"\n", "recheck = \"10ms\"\n",
                           "flap_window = \"1s\"\n", "flap_window = \"1w\"\n", "fall = 1000\n", "rise = 1000\n",
                           "rise_growth = 1\n", "rise_growth = 100\n", "rise_most = 10000\n"}) {
    CAPTURE(good);
    CHECK(wrong("icmp", good).empty());
  }
  for (const char* bad : {"interval = \"99ms\"\n", "interval = \"3601s\"\n", "interval_in_use = \"99ms\"\n",
                          "timeout = \"9ms\"\n", "interval = \"1h\"\ntimeout = \"61s\"\n", "recheck = \"9ms\"\n",
                          "flap_window = \"999ms\"\n", "flap_window = \"169h\"\n", "fall = 1001\n", "rise = 0\n",
                          "rise = 1001\n", "rise_growth = 0\n", "rise_growth = 101\n", "rise_most = 10001\n"}) {
    CAPTURE(bad);
    CHECK(wrong("icmp", bad).size() == 1);
  }
}

TEST_CASE("what a check asks over HTTP cannot break out of the request", "[config][checks]") {
  CHECK(wrong("http", "path = \"health\"\n") ==
        lines{"edge.toml:7:8: check.path: expected a path that begins with \"/\", without spaces, in ASCII, of at most "
              "2048 octets, found \"health\""});
  CHECK(wrong("http", "path = \"/ HTTP/1.1\\r\\nX: y\"\n").size() == 1);
  CHECK(wrong("http", "host = \"www.example.com\\r\\nX: y\"\n") ==
        lines{"edge.toml:7:8: check.host: expected a host's name of at most 255 octets, found "
              "\"www.example.com\\x0d\\x0aX: y\""});
  CHECK(wrong("http", "method = \"get\"\n") ==
        lines{"edge.toml:7:10: check.method: expected a method such as \"GET\" or \"HEAD\", found \"get\""});
  CHECK(wrong("http", "method = \"CONNECT\"\n").size() == 1);
  CHECK(wrong("http", "method = \"" + std::string(16, 'X') + "\"\n").empty());
  CHECK(wrong("http", "method = \"" + std::string(17, 'X') + "\"\n").size() == 1);
}

TEST_CASE("a status is a number or a range of them", "[config][checks]") {
  CHECK(wrong("http", "status = [200, \"299-200\"]\n") ==
        lines{"edge.toml:7:16: check.status: expected a status from 100 to 599, or a range of them such as "
              "\"200-299\", found \"299-200\""});
  CHECK(wrong("http", "status = []\n") ==
        lines{"edge.toml:7:10: check.status: expected 1 to 64 statuses or ranges of them, found 0"});
  CHECK(wrong("http", "status = [200, true]\n") ==
        lines{"edge.toml:7:16: check.status: expected a string or an integer, found true"});
  CHECK(wrong("http", "status = \"200\"\n") ==
        lines{"edge.toml:7:10: check.status: expected an array of strings or integers, found the string \"200\""});
  for (const char* text : {"99", "600", "\"200-\"", "\"-200\"", "\"2xx\"", "\"200-600\"", "\"\"", "-200"}) {
    CAPTURE(text);
    CHECK(wrong("http", "status = [" + std::string(text) + "]\n").size() == 1);
  }
}

TEST_CASE("a regular expression that does not compile is told why", "[config][checks]") {
  CHECK(wrong("http", "body_regex = \"(ok\"\n") ==
        lines{"edge.toml:7:14: check.body_regex: expected a regular expression, found \"(ok\": \"missing ): (ok\""});
  CHECK(wrong("http", "body_regex = \"((a{1000}){1000}){1000}\"\n").size() == 1);
  CHECK(wrong("http", "body_regex = \"" + std::string(1025, 'a') + "\"\n") ==
        lines{"edge.toml:7:14: check.body_regex: expected a regular expression of at most 1024 octets, found 1025"});
}

TEST_CASE("a body is not expected where none can come", "[config][checks]") {
  CHECK(wrong("http", "method = \"HEAD\"\nbody = \"ok\"\n") ==
        lines{"edge.toml:8:8: check.body: expected none with the method \"HEAD\", whose answer has no body"});
  CHECK(wrong("http", "body_limit = 3\nbody = \"long\"\n") ==
        lines{"edge.toml:8:8: check.body: expected a text of at most 3 octets, found 4"});
  CHECK(wrong("http", "method = \"HEAD\"\nbody_regex = \"ok\"\n") ==
        lines{"edge.toml:8:14: check.body_regex: expected none with the method \"HEAD\", whose answer has no body"});
  CHECK(wrong("http", "body = \"" + std::string(4096, 'x') + "\"\n").empty());
  CHECK(wrong("http", "body = \"" + std::string(4097, 'x') + "\"\n").size() == 1);
  CHECK(wrong("http", "body_limit = 1048576\n").empty());
  CHECK(wrong("http", "body_limit = 1048577\n").size() == 1);
}

TEST_CASE("what a certificate is checked against is a host's name and a file that can be read", "[config][checks]") {
  const folder place;
  place.write("ca.pem", "");
  const auto with = [&](const std::string& rest) {
    return problems_of(load(place.write("edge.toml", of_type("tls", rest))));
  };
  CHECK(with("ca_file = \"ca.pem\"\n").empty());
  const auto good = load(place.write("edge.toml", of_type("tls", "ca_file = \"ca.pem\"\n")));
  CHECK(std::get<loaded>(good).servers.checks.front().ca_file == (place.path() / "ca.pem").string());
  CHECK(with("verify = false\nca_file = \"ca.pem\"\n") ==
        lines{"edge.toml:8:11: check.ca_file: expected no trusted certificates where verify is false"});
  CHECK(with("ca_file = \"ca.pem\\u0000\"\n") ==
        lines{"edge.toml:7:11: check.ca_file: expected the path of a file, found \"ca.pem\\x00\""});
  const lines missing = with("ca_file = \"/nonexistent/ca.pem\"\n");
  CHECK(missing == lines{"edge.toml:7:11: check.ca_file: \"/nonexistent/ca.pem\": cannot read the file: No such file "
                         "or directory"});
  CHECK(with("server_name = \"a b\"\n") ==
        lines{"edge.toml:7:15: check.server_name: expected the host name or the address that the certificate is for, "
              "found \"a b\""});
  CHECK(with("server_name = \"2001:db8::1\"\n").empty());
}

TEST_CASE("a DNS check asks for a name and a type of records", "[config][checks]") {
  CHECK(wrong("dns", "qname = \"a..b\"\n").size() == 1);
  CHECK(wrong("dns", "qtype = \"ANY\"\n") ==
        lines{"edge.toml:7:9: check.qtype: expected a type of records such as \"A\" or \"SOA\", found \"ANY\""});
  CHECK(wrong("dns", "qtype = \"AAA\"\n").size() == 1);
  CHECK_THAT(wrong("dns", "rcode = \"NXDOMIAN\"\n").at(0),
             Catch::StartsWith("edge.toml:7:9: check.rcode: expected \"NOERROR\", ") &&
                 Catch::EndsWith("found \"NXDOMIAN\", did you mean \"NXDOMAIN\"?"));
  CHECK_THAT(wrong("dns", "qtype = \"A\"\nrdata = [\"192.0.2.x\"]\n").at(0),
             Catch::StartsWith("edge.toml:8:10: check.rdata: expected the RDATA of A in presentation format, found "
                               "\"192.0.2.x\": "));
  CHECK(wrong("dns", "rcode = \"NXDOMAIN\"\nrdata = [\"ns.example.net.\"]\n") ==
        lines{"edge.toml:8:9: check.rdata: expected none with the rcode \"NXDOMAIN\", which has no answer"});
  CHECK_THAT(wrong("dns", "qtype = \"A\"\nrdata = [\"192.0.2.1\\n\"]\n").at(0),
             Catch::EndsWith("1 to 1024 printable octets"));
  std::string many = "\"ns.example.net.\"";
  for (int i = 1; i < 64; ++i) many += ", \"ns.example.net.\"";
  CHECK(wrong("dns", "rdata = [" + many + "]\n").empty());
  CHECK(wrong("dns", "rdata = [" + many + ", \"ns.example.net.\"]\n") ==
        lines{"edge.toml:7:9: check.rdata: expected at most 64 RDATA, found 65"});
}

TEST_CASE("a program that cannot be run is told why", "[config][checks]") {
  const folder place;
  const std::string plain = place.write("plain", "").string();
  CHECK(wrong("exec", "") == lines{"edge.toml:4:1: check.command: expected a program and its arguments, found none"});
  CHECK(wrong("exec", "command = []\n") ==
        lines{"edge.toml:7:11: check.command: expected a program and its arguments, at most 64 in all, found 0"});
  CHECK(wrong("exec", "command = [\"true\"]\n") ==
        lines{"edge.toml:7:12: check.command: expected the absolute path of a program, found \"true\""});
  CHECK(wrong("exec", "command = [\"/nonexistent/true\"]\n") ==
        lines{"edge.toml:7:12: check.command: \"/nonexistent/true\": cannot run the program: No such file or "
              "directory"});
  CHECK_THAT(wrong("exec", "command = [\"" + plain + "\"]\n").at(0), Catch::EndsWith("Permission denied"));
  CHECK_THAT(wrong("exec", "command = [\"/bin\"]\n").at(0), Catch::EndsWith("expected a file, found a directory"));
  CHECK(wrong("exec", "command = [\"/bin/true\", \"a\\u0000b\"]\n") ==
        lines{"edge.toml:7:25: check.command: expected at most 4096 octets, none of them NUL, found \"a\\x00b\""});
}

TEST_CASE("no more than ten thousand checks are read", "[config][checks]") {
  std::string text = usual_edge;
  for (int i = 0; i < 10'001; ++i) text += "[[check]]\nname = \"c" + std::to_string(i) + "\"\ntype = \"icmp\"\n";
  CHECK(problems_of(text) == lines{"edge.toml:30004:1: check.name: expected at most 10000 checks, found more"});
}

}  // namespace nearside::config
