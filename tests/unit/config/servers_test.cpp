// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/config/fixture.hpp"

namespace nearside::config {

namespace {

/// A [[server]] in line 4, its name in line 5, the rest from line 6.
lines wrong(const std::string& rest) { return problems_of(usual_edge + "[[server]]\nname = \"fra1\"\n" + rest); }

lines wrong_name(const std::string& name) {
  return problems_of(usual_edge + "[[server]]\nname = \"" + name + "\"\nipv4 = \"192.0.2.80\"\n");
}

}  // namespace

TEST_CASE("a server needs a name that no address can be taken for", "[config][servers]") {
  CHECK(problems_of(usual_edge + "[[server]]\nipv4 = \"192.0.2.80\"\n") ==
        lines{"edge.toml:4:1: server.name: expected the server's name, found none"});
  CHECK(wrong_name("192.0.2.80") ==
        lines{"edge.toml:5:8: server.name: expected a name with a letter in it, found \"192.0.2.80\", which looks like "
              "an address"});
  CHECK(wrong_name("2001:db8::80").size() == 1);
  CHECK(wrong_name("fra*") ==
        lines{"edge.toml:5:8: server.name: expected 1 to 128 letters, digits, \"-\", \"_\" and \".\", found \"fra*\""});
  CHECK(wrong_name("").size() == 1);
  CHECK(wrong_name(std::string(129, 'x')).size() == 1);
  CHECK(wrong_name("fra1.example.net").empty());
}

TEST_CASE("two servers of one name are told at the second one", "[config][servers]") {
  CHECK(wrong("ipv4 = \"192.0.2.80\"\n[[server]]\nname = \"fra1\"\nipv4 = \"192.0.2.81\"\n") ==
        lines{"edge.toml:8:8: server.name: server \"fra1\" is given twice, first in line 5"});
}

TEST_CASE("a server has at least one address, each of its family", "[config][servers]") {
  CHECK(wrong("") == lines{"edge.toml:4:1: server.ipv4: expected an address, ipv4, ipv6 or both, found none"});
  CHECK(wrong("ipv4 = \"2001:db8::80\"\n") ==
        lines{"edge.toml:6:8: server.ipv4: expected an IPv4 address, found \"2001:db8::80\""});
  CHECK(wrong("ipv6 = \"192.0.2.80\"\n") ==
        lines{"edge.toml:6:8: server.ipv6: expected an IPv6 address, found \"192.0.2.80\""});
  CHECK(wrong("ipv4 = \"192.0.2.80\"\ncheck_ipv4 = \"2001:db8::80\"\n") ==
        lines{"edge.toml:7:14: server.check_ipv4: expected an IPv4 address, found \"2001:db8::80\""});
  CHECK(wrong("ipv4 = \"192.0.2.80\"\ncheck_ipv6 = \"2001:db8::80\"\n") ==
        lines{"edge.toml:7:14: server.check_ipv6: expected only beside ipv6, in the place of which it is measured"});
  CHECK(wrong("ipv4 = \"0.0.0.0\"\n") == lines{"edge.toml:6:8: server.ipv4: expected the address of one host, found "
                                               "\"0.0.0.0\", the unspecified address"});
}

TEST_CASE("a server's numbers have bounds", "[config][servers]") {
  const std::string address = "ipv4 = \"192.0.2.80\"\n";
  CHECK(wrong(address + "weight = -1\n") ==
        lines{"edge.toml:7:10: server.weight: expected an integer from 0 to 65535, found the integer -1"});
  CHECK(wrong(address + "priority = 65536\n") ==
        lines{"edge.toml:7:12: server.priority: expected an integer from 0 to 65535, found the integer 65536"});
  CHECK(wrong(address + "cost = -0.5\n") ==
        lines{"edge.toml:7:8: server.cost: expected a number from 0 to 1000000, found the number -0.5"});
  CHECK(wrong(address + "cost = nan\n").size() == 1);
  CHECK(wrong(address + "cost = \"1\"\n").size() == 1);
  CHECK(wrong(address + "check_port = 0\n") ==
        lines{"edge.toml:7:14: server.check_port: expected an integer from 1 to 65535, found the integer 0"});
  CHECK(wrong(address + "site = \"fra ams\"\n").size() == 1);
}

TEST_CASE("a server's checks are there, each once", "[config][servers]") {
  const std::string web = "[[check]]\nname = \"web\"\ntype = \"http\"\n";
  const std::string address = "ipv4 = \"192.0.2.80\"\n";
  CHECK(wrong(address + "checks = [\"wbe\"]\n" + web) ==
        lines{"edge.toml:7:11: server.checks: expected the name of a [[check]], found \"wbe\", did you mean \"web\"?"});
  CHECK(wrong(address + "checks = [\"web\", \"web\"]\n" + web) ==
        lines{"edge.toml:7:18: server.checks: \"web\" is given twice"});
  CHECK(wrong(address + "checks = [\"web\"]\n" + web).empty());
}

TEST_CASE("a reference to a check or a server with a problem of its own is not called unknown", "[config][servers]") {
  CHECK(wrong("ipv4 = \"nowhere\"\nchecks = [\"web\"]\n[[check]]\nname = \"web\"\ntype = \"tcp\"\n" + usual_zone +
              "[[zone.balance]]\nname = \"www\"\nservers = [\"fra1\"]\npolicy = \"latency\"\n")
            .size() == 2);
}

TEST_CASE("very many servers and very many slips of the pen are told in seconds", "[config][servers]") {
  std::string text = usual_edge;
  for (int i = 0; i < 20'000; ++i)
    text += "[[server]]\nname = \"server" + std::to_string(i) + "\"\nipv6 = \"2001:db8::" + std::to_string(i % 9999) +
            "\"\n";
  text += usual_zone;
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = std::to_string(i);
    text += "[[zone.balance]]\nname = \"n" + number + "\"\nservers = [\"servre" + number + "\"]\n";
  }
  const lines found = problems_of(text);
  REQUIRE(found.size() == 1001);
  CHECK_THAT(found.front(), Catch::EndsWith("found \"servre0\", did you mean \"server0\"?"));
  CHECK(found.back() == "edge.toml: 19000 more problems are not shown");
}

}  // namespace nearside::config
