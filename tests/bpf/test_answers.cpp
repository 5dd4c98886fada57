// SPDX-License-Identifier: BSD-2-Clause
// What the program answers: packet in, verdict and packet out, equal from the kernel, the native build and the agent.
#include <linux/bpf.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/bpf/program.hpp"

namespace nearside::tests {
namespace {

const std::string LONGEST = std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(63, 'x') + "." +
                            std::string(46, 'y') + ".lb.example.com";

/// The reply's message, after every check that all replies have to stand.
octets answered(program& p, const query& q, std::uint32_t verdict = VERDICT_ANSWERED) {
  const auto kernel = p.in_kernel(q.frame());
  CHECK(kernel.verdict == verdict);
  REQUIRE(kernel.action == XDP_TX);
  const auto reply = take_apart(kernel.frame, q);
  REQUIRE(reply.fault == "");
  const auto expected = p.by_the_agent(q.message());
  CHECK(std::find(expected.begin(), expected.end(), reply.message) != expected.end());

  const auto native = p.natively(q.frame());
  CHECK(native.verdict == verdict);
  CHECK(native.action == XDP_TX);
  const auto native_reply = take_apart(native.frame, q);
  CHECK(native_reply.fault == "");
  CHECK(std::find(expected.begin(), expected.end(), native_reply.message) != expected.end());
  return reply.message;
}

unsigned count_at(const octets& message, std::size_t field) {
  return static_cast<unsigned>(message[field] << 8 | message[field + 1]);
}

}  // namespace

TEST_CASE("an installed name is answered over IPv4 and IPv6, with 0 to 2 VLAN tags", "[bpf][answer]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  for (const bool v6 : {false, true}) {
    for (const int tags : {0, 1, 2}) {
      query q("one.lb.example.com");
      if (v6) q.over_ipv6();
      if (tags == 2) q.vlan(7, 0x88a8);
      if (tags >= 1) q.vlan(100);
      CAPTURE(v6, tags);
      const auto reply = answered(p, q);
      CHECK(reply[2] == 0x85);  // QR, AA, RD
      CHECK(count_at(reply, 6) == 1);
      CHECK(octets(reply.end() - 4, reply.end()) == octets{203, 0, 113, 9});
    }
  }
}

TEST_CASE("AAAA, NODATA with SOA, apex SOA and NS, TXT, MX and HTTPS are answered", "[bpf][answer]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  answered(p, query("www.lb.example.com").type(28));
  const auto nodata = answered(p, query("one.lb.example.com").type(28), VERDICT_ANSWERED_NODATA);
  CHECK(count_at(nodata, 6) == 0);
  CHECK(count_at(nodata, 8) == 1);
  answered(p, query("one.lb.example.com").type(99), VERDICT_ANSWERED_NODATA);
  answered(p, query("one.lb.example.com").type(65), VERDICT_ANSWERED_NODATA);
  answered(p, query("lb.example.com").type(6));
  const auto ns = answered(p, query("lb.example.com").type(2));
  CHECK(count_at(ns, 6) == 2);
  CHECK(count_at(ns, 10) == 2);  // the addresses of the one inside the zone
  answered(p, query("txt.lb.example.com").type(16));
  answered(p, query("mx.lb.example.com").type(15));
  answered(p, query("https.lb.example.com").type(65));
}

TEST_CASE("the letters' case does not matter, and is echoed", "[bpf][answer][rfc4343]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto reply = answered(p, query("oNe.Lb.eXAMPLE.cOM"));
  CHECK(std::string(reply.begin() + 13, reply.begin() + 16) == "oNe");
  // Octets next to the letters must not be taken for them: '@' and '[' are not '`' and '{'.
  CHECK(p.in_kernel(query("one@.lb.example.com").frame()).verdict == VERDICT_PASS_NAME);
}

TEST_CASE("names of every length up to 255 octets are found", "[bpf][answer]") {
  REQUIRE_KERNEL_SIDE();
  std::vector<std::string> names;
  for (std::size_t length = 1; length <= 238; ++length) {
    std::string owner;
    for (std::size_t left = length; left > 0;) {
      const auto label = std::min<std::size_t>(left, 63);
      owner += std::string(label, static_cast<char>('a' + length % 26)) + ".";
      left -= label;
    }
    if (owner.size() + 1 + 15 <= 255) names.push_back(owner + "lb.example.com.");
  }
  dns::zone z(dns::name::from_text("lb.example.com.").value());
  for (const auto& owner : names) {
    z.add(dns::name::from_text(owner).value(), 1, 20, {203, 0, 113, 60}).value();
  }
  const auto standard = program::standard_zone();
  standard.zones()[0].for_each([&](const dns::name& owner, const dns::node& node) {
    if (owner == z.apex()) {
      for (const auto& set : node.rrsets) {
        for (const auto& data : set.rdatas) z.add(owner, set.type, set.ttl, data).value();
      }
    }
  });
  dns::zone_set all;
  all.add(std::move(z)).value();
  program p(std::move(all));
  for (const auto& owner : names) {
    CAPTURE(owner.size());
    const query q(owner);
    const auto native = p.natively(q.frame());
    CHECK(native.verdict == VERDICT_ANSWERED);
    const auto kernel = p.in_kernel(q.frame());
    CHECK(kernel.verdict == VERDICT_ANSWERED);
    CHECK(take_apart(kernel.frame, q).fault == "");
    CHECK(kernel.frame == native.frame);
  }
}

TEST_CASE("a name of 255 octets is answered, over IPv6 with two tags too", "[bpf][answer]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  answered(p, query(LONGEST));
  answered(p, query(LONGEST).over_ipv6().vlan(1).vlan(2).edns().dnssec_ok().cookie());
}

TEST_CASE("the alternatives of an answer are all given, and nothing else", "[bpf][answer]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  std::set<octets> seen;
  for (int i = 0; i < 200; ++i) seen.insert(answered(p, query("www.lb.example.com")));
  CHECK(seen.size() == 3);
}

TEST_CASE("EDNS is answered with our OPT: DO echoed, COOKIE and unknown options ignored", "[bpf][edns][rfc6891]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  auto reply = answered(p, query("one.lb.example.com").edns().dnssec_ok().cookie().option(65001, {1, 2, 3}));
  CHECK(count_at(reply, 10) == 1);
  const octets opt(reply.end() - 11, reply.end());
  CHECK(opt == octets{0, 0, 41, 4, 0xd0, 0, 0, 0x80, 0, 0, 0});
  reply = answered(p, query("one.lb.example.com").edns());
  CHECK(reply[reply.size() - 4] == 0);
  answered(p, query("lb.example.com").type(2).edns().over_ipv6());
  // A header's flags: RD and CD are echoed, the others are not.
  reply = answered(p, query("one.lb.example.com").flags(0x07ff & ~0x000f));
  CHECK(reply[2] == 0x85);
  CHECK(reply[3] == 0x10);
}

TEST_CASE("ECS is echoed with scope 0 where the answer does not depend on the client", "[bpf][ecs][rfc7871]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  for (const unsigned source : {0u, 8u, 20u, 24u, 32u}) {
    CAPTURE(source);
    const std::string address = source >= 24   ? "192.0.2.0"
                                : source >= 20 ? "192.0.0.0"
                                : source       ? "192.0.0.0"
                                               : "0.0.0.0";
    answered(p, query("one.lb.example.com").ecs(address, source));
    answered(p, query("one.lb.example.com").type(28).cookie().ecs(address, source).option(12, octets(7)),
             VERDICT_ANSWERED_NODATA);
  }
  for (const unsigned source : {0u, 32u, 48u, 56u, 64u, 128u}) {
    CAPTURE(source);
    answered(p, query("one.lb.example.com").over_ipv6().ecs(source ? "2001:db8::" : "::", source));
  }
}

TEST_CASE("EDNS and ECS are counted beside the verdict, whatever kind of answer it was", "[bpf][counters]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto before = dataplane::read_counters(p.tables()).value();
  answered(p, query("one.lb.example.com").edns());
  answered(p, query("one.lb.example.com").type(28).ecs("192.0.2.0", 24), VERDICT_ANSWERED_NODATA);
  answered(p, query("many.lb.example.com").edns(512), VERDICT_ANSWERED_TRUNCATED);
  answered(p, query("one.lb.example.com"));
  p.in_kernel(query("nothing.lb.example.com").edns().frame());
  const auto more = dataplane::read_counters(p.tables()).value().since(before);
  CHECK(more.packets[COUNTER_EDNS] == 3);
  CHECK(more.packets[COUNTER_ECS] == 1);
}

TEST_CASE("what exceeds the client's limit is answered with TC=1", "[bpf][truncate]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  auto reply = answered(p, query("many.lb.example.com"), VERDICT_ANSWERED_TRUNCATED);
  CHECK((reply[2] & 0x02) == 0x02);
  CHECK(count_at(reply, 6) == 0);
  answered(p, query("many.lb.example.com").edns(512), VERDICT_ANSWERED_TRUNCATED);
  answered(p, query("many.lb.example.com").edns(100), VERDICT_ANSWERED_TRUNCATED);
  answered(p, query("many.lb.example.com").edns(1232));
  answered(p, query("many.lb.example.com").edns(4096).over_ipv6());
  // 120 addresses exceed what we ever send over UDP.
  answered(p, query("toomany.lb.example.com").edns(65535), VERDICT_ANSWERED_TRUNCATED);
  // The limit to the octet: 12 + 25 + 40 * 16 + 11.
  const unsigned exact = static_cast<unsigned>(query("many.lb.example.com").message().size()) + 40 * 16 + 11;
  answered(p, query("many.lb.example.com").edns(static_cast<std::uint16_t>(exact)));
  answered(p, query("many.lb.example.com").edns(static_cast<std::uint16_t>(exact - 1)), VERDICT_ANSWERED_TRUNCATED);
}

TEST_CASE("padding of a short frame is no part of the message", "[bpf][answer]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  answered(p, query("lb.example.com").type(6).padded_to(120));
  answered(p, query("one.lb.example.com").padded_to(400));
}

TEST_CASE("over IPv4 a query without UDP checksum is answered with one", "[bpf][checksum]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  answered(p, query("one.lb.example.com").without_udp_checksum());
}

TEST_CASE("a frame without room behind grows at its head, and one without any room is passed untouched",
          "[bpf][grow]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto native_answer = [&](const query& q, std::size_t tail, std::size_t head) {
    auto out = p.natively(q.frame(), tail, head);
    if (out.action == XDP_TX) {
      CHECK(take_apart(out.frame, q).fault == "");
      const auto expected = p.by_the_agent(q.message());
      CHECK(std::find(expected.begin(), expected.end(), take_apart(out.frame, q).message) != expected.end());
    }
    return out;
  };
  for (std::size_t extra = 0; extra <= 9; ++extra) {
    CHECK(native_answer(query("one.lb.example.com"), extra, 256).verdict == VERDICT_ANSWERED);
  }
  CHECK(p.native().counters[COUNTER_GREW_HEAD] == 1);
  CHECK(native_answer(query("one.lb.example.com"), 16, 0).verdict == VERDICT_ANSWERED);
  CHECK(p.native().counters[COUNTER_GREW_TAIL] == 1);
  CHECK(native_answer(query("one.lb.example.com").over_ipv6().vlan(1).edns().cookie(), 0, 64).verdict ==
        VERDICT_ANSWERED);
  CHECK(native_answer(query(LONGEST).over_ipv6().vlan(1).vlan(2), 3, 16).verdict == VERDICT_ANSWERED);
  const query q("one.lb.example.com");
  const auto passed = native_answer(q, 15, 15);
  CHECK(passed.verdict == VERDICT_PASS_NO_ROOM);
  CHECK(passed.frame == q.frame());
  // A query with many options shrinks.
  CHECK(native_answer(query("one.lb.example.com").option(12, octets(200)), 0, 0).verdict == VERDICT_ANSWERED);
  CHECK(p.native().counters[COUNTER_SHRANK] == 1);
}

}  // namespace nearside::tests
