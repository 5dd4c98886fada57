// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/resolver_files.hpp"

#include <catch2/catch.hpp>

using namespace nearside::mapping;
using namespace std::chrono_literals;
using boost::asio::ip::address;
using boost::asio::ip::make_address;

namespace {

std::vector<std::string> texts(const found_resolvers& found) {
  std::vector<std::string> all;
  for (const address& one : found.addresses) all.push_back(one.to_string());
  return all;
}
using list = std::vector<std::string>;

found_resolvers said(std::initializer_list<const char*> addresses) {
  found_resolvers found;
  for (const char* one : addresses) found.addresses.push_back(make_address(one));
  return found;
}

// 2026-07-01 12:00:00 UTC
const std::chrono::system_clock::time_point noon{std::chrono::sys_days(std::chrono::year(2026) / 7 / 1) + 12h};

std::string lease(const std::string& interface, const std::string& servers, const std::string& expire) {
  return "lease {\n  interface \"" + interface +
         "\";\n  fixed-address 198.51.100.7;\n  option subnet-mask 255.255.255.0;\n  option domain-name-servers " +
         servers + ";\n  option domain-name \"a;b } \\\" c\";\n  renew 3 2026/07/01 06:00:00;\n  expire " + expire +
         ";\n}\n";
}

std::string dhcp_message(const std::string& options) { return std::string(236, '\0') + "\x63\x82\x53\x63" + options; }

}  // namespace

TEST_CASE("resolv.conf names resolvers, in their order", "[mapping][resolver_files]") {
  const auto found = parse_resolv_conf(
      "# by hand\n; too\ndomain example.net\nnameserver 192.0.2.53\nnameserver\t2001:db8::53  # comment\r\n"
      "options edns0\nsearch example.net\nnameserver 192.0.2.53\nnameserver 192.0.2.54");
  CHECK(texts(found) == list{"192.0.2.53", "2001:db8::53", "192.0.2.54"});
  CHECK(found.notes.empty());
}

TEST_CASE("a link-local resolver keeps its zone index", "[mapping][resolver_files]") {
  const auto found = parse_resolv_conf("nameserver fe80::1%lo\n");
  REQUIRE(found.addresses.size() == 1);
  CHECK(found.addresses[0].to_v6().scope_id() == 1);
}

TEST_CASE("garbage in resolv.conf is left out with a note", "[mapping][resolver_files]") {
  const auto found = parse_resolv_conf(
      "nameserver 192.0.2.300\nnameserver\nnameservers 192.0.2.1\n nameserver 192.0.2.2\nnameserver dns.example.net\n"
      "nameserver 0.0.0.0\nnameserver ff02::1\nnameserver 192.0.2.53\nnameserver \x01\x02\x7f\n");
  CHECK(texts(found) == list{"192.0.2.53"});
  CHECK(found.notes == list{"line 1: no address: 192.0.2.300", "line 5: no address: dns.example.net",
                            "line 6: no resolver can be there: 0.0.0.0", "line 7: no resolver can be there: ff02::1",
                            "line 9: no address: ???"});
}

TEST_CASE("eight resolvers count, and eight notes", "[mapping][resolver_files]") {
  std::string text;
  for (int i = 1; i <= 40; ++i) text += "nameserver 192.0.2." + std::to_string(i) + "\n";
  const auto found = parse_resolv_conf(text);
  CHECK(found.addresses.size() == most_resolvers);
  CHECK(found.addresses.back() == make_address("192.0.2.8"));
  REQUIRE(found.notes.size() == 8);
  CHECK(found.notes[0] == "line 9: more than 8 resolvers: 192.0.2.9");
}

TEST_CASE("an IPv4 address inside IPv6 is IPv4", "[mapping][resolver_files]") {
  CHECK(texts(parse_resolv_conf("nameserver ::ffff:192.0.2.53\n")) == list{"192.0.2.53"});
}

TEST_CASE("dhclient: the newest lease of each interface counts", "[mapping][resolver_files]") {
  const auto found =
      parse_dhclient_leases(lease("eth0", "192.0.2.1", "3 2026/07/01 18:00:00") + lease("eth1", "192.0.2.9", "never") +
                                lease("eth0", "192.0.2.53,192.0.2.54", "epoch 1900000000; # Sat"),
                            noon);
  CHECK(texts(found) == list{"192.0.2.53", "192.0.2.54", "192.0.2.9"});
  CHECK(found.notes.empty());
}

TEST_CASE("dhclient: a lease that is over says nothing", "[mapping][resolver_files]") {
  const auto found = parse_dhclient_leases(lease("eth0", "192.0.2.1", "3 2026/07/01 11:59:59"), noon);
  CHECK(found.addresses.empty());
  CHECK(found.notes == list{"\"eth0\": its lease is over: 192.0.2.1"});
  CHECK(parse_dhclient_leases(lease("eth0", "192.0.2.1", "3 2026/07/01 12:00:01"), noon).addresses.size() == 1);
  CHECK(parse_dhclient_leases(lease("eth0", "192.0.2.1", "nonsense"), noon).addresses.size() == 1);
}

TEST_CASE("dhclient: IPv6 leases have their own option, beside nested blocks", "[mapping][resolver_files]") {
  const auto found = parse_dhclient_leases(
      "default-duid \"\\000\\001{;\";\nlease6 {\n  interface \"eth0\";\n  ia-na 11:22:33:44 {\n    starts 1782900000;\n"
      "    iaaddr 2001:db8::7 {\n      max-life 7200;\n      option dhcp6.name-servers 2001:db8::bad;\n    }\n  }\n"
      "  option dhcp6.client-id 0:1:0:1;\n  option dhcp6.name-servers 2001:db8::53,2001:db8::54;\n}\n",
      noon);
  CHECK(texts(found) == list{"2001:db8::53", "2001:db8::54"});
}

TEST_CASE("dhclient: a file that is cut anywhere is read as far as it goes", "[mapping][resolver_files]") {
  const std::string whole =
      "# comment { ; }\n" + lease("eth0", "192.0.2.1", "never") + "#\n# x\n" + lease("eth1", "192.0.2.2", "never");
  CHECK(parse_dhclient_leases(whole, noon).addresses.size() == 2);
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    CHECK(parse_dhclient_leases(whole.substr(0, i), noon).addresses.size() <= 2);
    CHECK(parse_dhclient_leases(whole.substr(i), noon).addresses.size() <= 2);
  }
}

TEST_CASE("systemd-networkd's leases have a line of addresses", "[mapping][resolver_files]") {
  const auto found = parse_networkd_lease(
      "# This is private data. Do not parse.\nADDRESS=198.51.100.7\nDNS=192.0.2.53 192.0.2.54\nDNSSL=x\n "
      "NTP=192.0.2.1\n");
  CHECK(texts(found) == list{"192.0.2.53", "192.0.2.54"});
}

TEST_CASE("dhcpcd keeps the messages of the servers", "[mapping][resolver_files]") {
  using namespace std::string_literals;
  CHECK(texts(parse_dhcpcd_lease(
            dhcp_message("\x35\x01\x05\0\0\x06\x08\xc0\0\x02\x35\xc0\0\x02\x36\xff\x06\x04zzzz"s))) ==
        list{"192.0.2.53", "192.0.2.54"});
  CHECK(parse_dhcpcd_lease("a text").notes == list{"no DHCP message"});
  CHECK(parse_dhcpcd_lease(dhcp_message("\x06\x08\xc0\0\x02\x35"s)).notes ==
        list{"the DHCP message ends in an option"});
  CHECK(parse_dhcpcd_lease(dhcp_message("\x06"s)).notes == list{"the DHCP message ends in an option"});

  const std::string server = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x53"s;
  CHECK(texts(parse_dhcpcd_lease6("\x07"
                                  "abc\0\x01\0\x02xx\0\x17\0\x10"s +
                                  server)) == list{"2001:db8::53"});
  CHECK(parse_dhcpcd_lease6("\x07"
                            "abc\0\x17\0\x10"s +
                            server.substr(1))
            .notes == list{"the DHCPv6 message ends in an option"});
  CHECK(parse_dhcpcd_lease6("").addresses.empty());

  const std::string nine_nowhere(9 * std::size_t{16}, '\0');
  const auto many = parse_dhcpcd_lease6(
      "\x07"
      "abc\0\x17\0\x90"s +
      nine_nowhere + "\0\x17\0\x10"s);
  CHECK(many.notes.size() == 8);
}

TEST_CASE("systemd-resolved's own address stands for the servers that it asks", "[mapping][resolver_files]") {
  const auto chosen = choose_resolvers({.resolv_conf = said({"127.0.0.53"}),
                                        .systemd_resolved = said({"192.0.2.53", "2001:db8::53"}),
                                        .dhcp = said({"192.0.2.99"})});
  CHECK(chosen == std::vector<resolver>{{make_address("192.0.2.53"), 53, resolver_source::systemd_resolved},
                                        {make_address("2001:db8::53"), 53, resolver_source::systemd_resolved}});
}

TEST_CASE("systemd-resolved's file does not count where resolv.conf names others", "[mapping][resolver_files]") {
  const auto chosen = choose_resolvers(
      {.resolv_conf = said({"192.0.2.1"}), .systemd_resolved = said({"192.0.2.53"}), .dhcp = said({"192.0.2.99"})});
  CHECK(chosen == std::vector<resolver>{{make_address("192.0.2.1"), 53, resolver_source::resolv_conf}});
}

TEST_CASE("leases count where resolv.conf names only this host, or nothing", "[mapping][resolver_files]") {
  CHECK(choose_resolvers({.resolv_conf = {}, .systemd_resolved = {}, .dhcp = said({"192.0.2.99"})}) ==
        std::vector<resolver>{{make_address("192.0.2.99"), 53, resolver_source::dhcp}});
  CHECK(choose_resolvers({.resolv_conf = said({"127.0.0.1"}), .systemd_resolved = {}, .dhcp = said({"192.0.2.99"})}) ==
        std::vector<resolver>{{make_address("127.0.0.1"), 53, resolver_source::resolv_conf},
                              {make_address("192.0.2.99"), 53, resolver_source::dhcp}});
  CHECK(choose_resolvers({.resolv_conf = said({"127.0.0.53"}), .systemd_resolved = {}, .dhcp = {}}).empty());
}

TEST_CASE("files together are bound as one is", "[mapping][resolver_files]") {
  found_resolvers all = said({"192.0.2.1"});
  for (int i = 1; i < 20; ++i) merge(all, said({("192.0.2." + std::to_string(i)).c_str()}));
  CHECK(all.addresses.size() == most_resolvers);
}
