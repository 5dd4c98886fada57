// SPDX-License-Identifier: BSD-2-Clause
// What the program does not answer: each verdict is reached, and a passed packet is passed as it came.
#include <linux/bpf.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/bpf/program.hpp"

namespace nearside::tests {
namespace {

struct not_answered {
  std::string what;
  query q;
  std::uint32_t verdict;
};

query one() { return query("one.lb.example.com"); }

// IPv4 header changes need a new header checksum, or they would be passed for that.
void fix_ipv4(octets& frame, std::size_t ip) {
  frame[ip + 10] = frame[ip + 11] = 0;
  const auto sum = internet_checksum(std::span(frame).subspan(ip, 20));
  frame[ip + 10] = static_cast<std::uint8_t>(sum >> 8);
  frame[ip + 11] = static_cast<std::uint8_t>(sum);
}

query ipv4_octet(std::size_t at, std::uint8_t value) {
  return one().then([=](octets& frame, std::size_t ip) {
    frame[ip + at] = value;
    fix_ipv4(frame, ip);
  });
}

query octet(query q, std::size_t at_from_ip, std::uint8_t value) {
  return q.then([=](octets& frame, std::size_t ip) { frame.at(ip + at_from_ip) = value; });
}

query to_mac(query q, const octets& mac) {
  return q.then([=](octets& frame, std::size_t) { std::copy(mac.begin(), mac.end(), frame.begin()); });
}

query cut_after(query q, std::size_t octets_from_ip) {
  return q.then([=](octets& frame, std::size_t ip) { frame.resize(ip + octets_from_ip); });
}

octets compressed_name() { return {3, 'o', 'n', 'e', 0xc0, 0x0c}; }

octets too_long_name() {
  octets wire;
  for (int label = 0; label < 4; ++label) {
    wire.push_back(63);
    wire.insert(wire.end(), 63, 'x');
  }
  wire.push_back(0);
  return wire;
}

std::vector<not_answered> all_cases() {
  const auto v6 = [] { return one().over_ipv6(); };
  constexpr std::size_t UDP4 = 20, UDP6 = 40;
  return {
      {"ARP", one().then([](octets& f, std::size_t) { f[12] = 8, f[13] = 6; }), VERDICT_PASS_NOT_IP},
      {"a third VLAN tag", one().vlan(1).vlan(2).vlan(3), VERDICT_PASS_NOT_IP},
      {"TCP", ipv4_octet(9, 6), VERDICT_PASS_NOT_UDP},
      {"ICMPv6", octet(v6(), 6, 58), VERDICT_PASS_NOT_UDP},
      {"another IPv4 address", one().to("198.51.100.54"), VERDICT_PASS_NOT_LISTENED},
      {"multicast", one().to("224.0.0.251"), VERDICT_PASS_NOT_LISTENED},
      {"broadcast", one().to("255.255.255.255"), VERDICT_PASS_NOT_LISTENED},
      {"a subnet's broadcast", one().to("198.51.100.255"), VERDICT_PASS_NOT_LISTENED},
      {"another IPv6 address", one().from(CLIENT_IPV6).to("2001:db8:53::54"), VERDICT_PASS_NOT_LISTENED},
      {"IPv6 multicast", one().from(CLIENT_IPV6).to("ff02::fb"), VERDICT_PASS_NOT_LISTENED},
      {"our address, the broadcast MAC", to_mac(one(), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
       VERDICT_PASS_NOT_LISTENED},
      {"our address, a multicast MAC", to_mac(one(), {0x01, 0x00, 0x5e, 0, 0, 1}), VERDICT_PASS_NOT_LISTENED},
      {"our IPv6 address, a multicast MAC", to_mac(v6(), {0x33, 0x33, 0, 0, 0, 1}), VERDICT_PASS_NOT_LISTENED},
      {"another port", one().ports(40001, 5353), VERDICT_PASS_NOT_LISTENED},
      {"a frame that ends in the IPv4 header", cut_after(one(), 19), VERDICT_PASS_SHORT},
      {"a frame that ends in the IPv6 header", cut_after(v6(), 39), VERDICT_PASS_SHORT},
      {"IPv4 with version 5", octet(one(), 0, 0x55), VERDICT_PASS_IP_HEADER},
      {"an IPv4 header of four words", octet(one(), 0, 0x44), VERDICT_PASS_IP_HEADER},
      {"IPv6 with version 4", octet(v6(), 0, 0x40), VERDICT_PASS_IP_HEADER},
      {"IPv4 options", octet(one(), 0, 0x46), VERDICT_PASS_IP_OPTIONS},
      {"an IPv6 hop-by-hop header", octet(v6(), 6, 0), VERDICT_PASS_IP_OPTIONS},
      {"an IPv6 destination options header", octet(v6(), 6, 60), VERDICT_PASS_IP_OPTIONS},
      {"a first fragment", ipv4_octet(6, 0x20), VERDICT_PASS_FRAGMENT},
      {"a later fragment", ipv4_octet(7, 0x10), VERDICT_PASS_FRAGMENT},
      {"an IPv6 fragment", octet(v6(), 6, 44), VERDICT_PASS_FRAGMENT},
      {"an IPv4 length beyond the frame", ipv4_octet(2, 0x01), VERDICT_PASS_IP_LENGTH},
      {"an IPv4 length of less than a header", one().then([](octets& f, std::size_t ip) {
         f[ip + 2] = 0, f[ip + 3] = 12;
         fix_ipv4(f, ip);
       }),
       VERDICT_PASS_IP_LENGTH},
      {"an IPv6 length beyond the frame", octet(v6(), 4, 0x01), VERDICT_PASS_IP_LENGTH},
      {"an IPv4 header checksum that is wrong", octet(one(), 8, 3), VERDICT_PASS_IP_CHECKSUM},
      {"a UDP length that is not IP's", octet(one(), UDP4 + 5, 20), VERDICT_PASS_UDP_LENGTH},
      {"a UDP length of less than a header", one().then([](octets& f, std::size_t ip) {
         f[ip + 3] = 24, f[ip + UDP4 + 5] = 4;
         fix_ipv4(f, ip);
       }),
       VERDICT_PASS_UDP_LENGTH},
      {"a UDP checksum that is wrong", octet(one(), UDP4 + 8 + 14, 'x'), VERDICT_PASS_UDP_CHECKSUM},
      {"a UDP checksum that is wrong behind the question", octet(one().edns().cookie(), UDP4 + 8 + 12 + 24 + 15, 9),
       VERDICT_PASS_UDP_CHECKSUM},
      {"a UDP checksum that is wrong over IPv6", octet(v6(), UDP6 + 8, 0xff), VERDICT_PASS_UDP_CHECKSUM},
      {"IPv6 without UDP checksum", v6().without_udp_checksum(), VERDICT_PASS_UDP6_NO_CHECKSUM},
      {"a query from ourselves", one().from(OUR_IPV4), VERDICT_PASS_SOURCE_ADDRESS},
      {"a loopback source", one().from("127.0.0.1"), VERDICT_PASS_SOURCE_ADDRESS},
      {"an unspecified source", one().from("0.0.0.0"), VERDICT_PASS_SOURCE_ADDRESS},
      {"a multicast source", one().from("224.0.0.1"), VERDICT_PASS_SOURCE_ADDRESS},
      {"a broadcast source", one().from("255.255.255.255"), VERDICT_PASS_SOURCE_ADDRESS},
      {"an IPv6 query from ourselves", v6().from(OUR_IPV6), VERDICT_PASS_SOURCE_ADDRESS},
      {"an IPv6 loopback source", v6().from("::1"), VERDICT_PASS_SOURCE_ADDRESS},
      {"an unspecified IPv6 source", v6().from("::"), VERDICT_PASS_SOURCE_ADDRESS},
      {"an IPv6 multicast source", v6().from("ff02::1"), VERDICT_PASS_SOURCE_ADDRESS},
      {"source port 0", one().ports(0, 53), VERDICT_PASS_SOURCE_PORT},
      {"from port 53 to port 53", one().ports(53, 53), VERDICT_PASS_SOURCE_PORT},
      {"a query of more than 512 octets", one().option(12, octets(480)), VERDICT_PASS_LONG_QUERY},
      {"a message shorter than a header", one().then([](octets& f, std::size_t ip) {
         f.resize(ip + UDP4 + 8 + 11);
         f[ip + 3] = 20 + 8 + 11, f[ip + UDP4 + 5] = 8 + 11;
         fix_ipv4(f, ip);
       }),
       VERDICT_PASS_SHORT},
      {"NOTIFY", one().flags(0x2000), VERDICT_PASS_OPCODE},
      {"UPDATE over IPv6", v6().flags(0x2800), VERDICT_PASS_OPCODE},
      {"no question", one().counts(0, 0, 0), VERDICT_PASS_COUNTS},
      {"two questions", one().counts(2, 0, 0), VERDICT_PASS_COUNTS},
      {"an answer in a query", one().counts(1, 1, 0), VERDICT_PASS_COUNTS},
      {"an authority in a query", one().counts(1, 0, 1), VERDICT_PASS_COUNTS},
      {"octets behind a query without OPT", one().after_message({0}), VERDICT_PASS_COUNTS},
      {"a compressed name", one().raw_qname(compressed_name()), VERDICT_PASS_QNAME},
      {"a name of 257 octets", one().raw_qname(too_long_name()), VERDICT_PASS_QNAME},
      {"a label of 64 octets", one().raw_qname(octets(70, 64)), VERDICT_PASS_QNAME},
      {"a name without its end", one().raw_qname({30, 'o', 'n', 'e'}), VERDICT_PASS_QNAME},
      {"class CHAOS", one().klass(3), VERDICT_PASS_QCLASS},
      {"type ANY", one().type(255), VERDICT_PASS_QTYPE},
      {"a zone transfer", one().type(252), VERDICT_PASS_QTYPE},
      {"type OPT", one().type(41), VERDICT_PASS_QTYPE},
      {"octets behind the OPT", one().edns().after_message({0}), VERDICT_PASS_EDNS},
      {"an option that overruns", one().edns().then([](octets& f, std::size_t) { f.back() = 1; }), VERDICT_PASS_EDNS},
      {"nine options",
       [&] {
         query q = one();
         for (std::uint16_t i = 0; i < 9; ++i) q.option(static_cast<std::uint16_t>(65001 + i), {});
         return q;
       }(),
       VERDICT_PASS_EDNS},
      {"EDNS version 1", one().edns().version(1), VERDICT_PASS_EDNS_VERSION},
      {"NSID", one().nsid(), VERDICT_PASS_NSID},
      {"ECS with a scope", one().ecs("192.0.2.0", 24, 24), VERDICT_PASS_ECS},
      {"ECS with a prefix of 33", one().option(8, {0, 1, 33, 0, 1, 2, 3, 4, 0}), VERDICT_PASS_ECS},
      {"ECS of an unknown family", one().option(8, {0, 3, 8, 0, 1}), VERDICT_PASS_ECS},
      {"ECS with bits beyond the prefix", one().option(8, {0, 1, 20, 0, 192, 0, 0x2f}), VERDICT_PASS_ECS},
      {"ECS with too many octets", one().option(8, {0, 1, 8, 0, 192, 0}), VERDICT_PASS_ECS},
      {"ECS with too few octets", one().option(8, {0, 1, 24, 0, 192, 0}), VERDICT_PASS_ECS},
      {"ECS cut off", one().option(8, {0, 1, 0}), VERDICT_PASS_ECS},
      {"two ECS options", one().ecs("192.0.2.0", 24).ecs("192.0.2.0", 24), VERDICT_PASS_ECS},
      {"a name that is not there", query("nothing.lb.example.com"), VERDICT_PASS_NAME},
      {"a name below a wildcard", query("a.wild.lb.example.com"), VERDICT_PASS_NAME},
      {"an empty non-terminal", query("ent.lb.example.com"), VERDICT_PASS_NAME},
      {"a name below a zone cut", query("ns.cut.lb.example.com"), VERDICT_PASS_NAME},
      {"an alias", query("alias.lb.example.com"), VERDICT_PASS_NAME},
      {"a type that userland answers", query("srv.lb.example.com").type(33), VERDICT_PASS_NO_IMAGE},
      {"a response", one().flags(0x8400), VERDICT_DROP_RESPONSE},
      {"a response over IPv6", v6().flags(0x8180), VERDICT_DROP_RESPONSE},
  };
}

}  // namespace

TEST_CASE("a packet that is not for the program is passed as it came, or dropped, and counted with its reason",
          "[bpf][pass]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  for (const auto& c : all_cases()) {
    CAPTURE(c.what);
    const octets frame = c.q.frame();
    const std::uint32_t action = c.verdict >= VERDICT_DROP_RESPONSE ? XDP_DROP : XDP_PASS;
    // The kernel's test run reads the L3 header itself and refuses frames that end before it.
    const bool runnable = frame.size() >= 14 + 20;
    if (runnable) {
      const auto kernel = p.in_kernel(frame);
      CHECK(kernel.verdict == c.verdict);
      CHECK(kernel.action == action);
      CHECK(kernel.frame == frame);
    }
    const auto native = p.natively(frame);
    CHECK(native.verdict == c.verdict);
    CHECK(native.action == action);
    CHECK(native.frame == frame);
  }
}

TEST_CASE("past its lease the program passes everything up", "[bpf][lease]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  p.tables().config().lease_deadline = 1;
  p.native().jiffies = 2;
  CHECK(p.in_kernel(one().frame()).verdict == VERDICT_PASS_LEASE);
  CHECK(p.natively(one().frame()).verdict == VERDICT_PASS_LEASE);
  p.tables().config().lease_deadline = ~std::uint64_t{0};
  CHECK(p.in_kernel(one().frame()).verdict == VERDICT_ANSWERED);
}

TEST_CASE("where the reply's way is not known, the stack gets the query", "[bpf][route]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  p.tables().config().flags |= CONFIG_ROUTE_LOOKUP;
  for (const bool v6 : {false, true}) {
    query q = one();
    if (v6) q.over_ipv6();
    const auto kernel = p.in_kernel(q.frame());
    CHECK(kernel.verdict == VERDICT_PASS_NO_ROUTE);
    CHECK(kernel.frame == q.frame());
    CHECK(p.natively(q.frame()).verdict == VERDICT_PASS_NO_ROUTE);
  }
}

TEST_CASE("a word in the answers that does not fit its image passes the query up", "[bpf][unsettled]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto& tables = p.tables();
  for (std::size_t i = 0; i < tables.capacity(dataplane::map_id::answers); ++i) {
    auto ref = tables.load_answer(i);
    if (ref.alternatives == 0) continue;
    ref.generation = static_cast<std::uint16_t>(ref.generation + 1);
    tables.store_answer(i, ref);
  }
  CHECK(p.in_kernel(one().frame()).verdict == VERDICT_PASS_UNSETTLED);
  CHECK(p.natively(one().frame()).verdict == VERDICT_PASS_UNSETTLED);
}

TEST_CASE("an image that is written anew while it is copied spoils the frame, which is dropped", "[bpf][unsettled]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  p.native().while_resizing = [](void* owner) {
    for (auto& slot : static_cast<program*>(owner)->tables().slots_small()) slot.generation = 0;
  };
  const auto native = p.natively(one().frame());
  CHECK(native.verdict == VERDICT_DROP_UNSETTLED);
  CHECK(native.action == XDP_DROP);
}

TEST_CASE("every verdict that this program can give is reached by a test", "[bpf][pass]") {
  std::set<std::uint32_t> reached{
      VERDICT_ANSWERED,       VERDICT_ANSWERED_NODATA,    VERDICT_ANSWERED_TRUNCATED,  // test_answers
      VERDICT_PASS_NO_ROOM,                                                            // test_answers
      VERDICT_PASS_LEASE,     VERDICT_PASS_NO_ROUTE,      VERDICT_PASS_UNSETTLED,      // above
      VERDICT_DROP_UNSETTLED,                                                          // above
      VERDICT_REFERRED,       VERDICT_REFERRED_TRUNCATED,                              // test_sites
      VERDICT_PASS_DIRECT,    VERDICT_PASS_CLIENT_SUBNET};                             // test_sites
  for (const auto& c : all_cases()) reached.insert(c.verdict);
  for (const auto& described : dataplane::counter_descriptions()) {
    if (described.group == dataplane::counter_group::side) continue;
    CAPTURE(described.label);
    CHECK(reached.count(described.number) == 1);
  }
}

TEST_CASE("received = answered + referred + passed + dropped", "[bpf][counters]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto before = dataplane::read_counters(p.tables()).value();
  std::uint64_t sent = 0;
  for (const auto& c : all_cases()) {
    if (c.q.frame().size() < 14 + 20) continue;
    p.in_kernel(c.q.frame());
    ++sent;
  }
  for (int i = 0; i < 5; ++i) p.in_kernel(one().frame());
  const auto more = dataplane::read_counters(p.tables()).value().since(before);
  CHECK(more.received() == sent + 5);
  CHECK(more.answered() == 5);
  CHECK(more.dropped() == 2);
}

}  // namespace nearside::tests
