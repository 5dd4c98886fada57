// SPDX-License-Identifier: BSD-2-Clause
// The differential test: each query of a large generated set gets the agent's very reply from the kernel, or is passed
// to it; and the native build does what the kernel does.
#include <linux/bpf.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "tests/bpf/program.hpp"

namespace nearside::tests {
namespace {

const std::vector<std::string> NAMES{
    "lb.example.com",        "www.lb.example.com",       "one.lb.example.com",    "two.lb.example.com",
    "txt.lb.example.com",    "mx.lb.example.com",        "srv.lb.example.com",    "https.lb.example.com",
    "alias.lb.example.com",  "a.wild.lb.example.com",    "ent.lb.example.com",    "deep.er.ent.lb.example.com",
    "cut.lb.example.com",    "ns.cut.lb.example.com",    "many.lb.example.com",   "toomany.lb.example.com",
    "ns1.lb.example.com",    "nothing.lb.example.com",   "example.net",           "",
    "shares.lb.example.com", "client.lb.example.com",    "half.lb.example.com",   "down.lb.example.com",
    "wide.lb.example.com",   "undecided.lb.example.com", "x.pool.lb.example.com", "chain.lb.example.com"};
const std::vector<std::uint16_t> TYPES{1,  1,  1,  28, 28, 65, 65, 2,   5,   6,   12,   15,
                                       16, 33, 41, 43, 48, 64, 99, 252, 255, 257, 65280};

class generator {
 public:
  explicit generator(std::uint32_t seed) : random_(seed) {}

  std::uint32_t number() { return static_cast<std::uint32_t>(random_()); }

  query next() {
    query q(mixed_case(pick(NAMES)));
    q.type(pick(TYPES)).id(static_cast<std::uint16_t>(random_()));
    if (one_in(2)) {
      q.over_ipv6().from("2001:db8:c:" + std::to_string(random_() % 1000) + "::77");
    } else {
      q.from("192.0." + std::to_string(random_() % 256) + ".77");
    }
    if (one_in(4)) q.flags(static_cast<std::uint16_t>(random_() & 0x07ff));
    if (one_in(20)) q.flags(static_cast<std::uint16_t>(random_()));
    if (one_in(20)) q.klass(static_cast<std::uint16_t>(one_in(2) ? 3 : random_()));
    if (one_in(3)) q.vlan(static_cast<std::uint16_t>(random_() & 0xfff));
    if (one_in(5)) q.padded_to(60 + random_() % 100);
    if (!one_in(4)) add_edns(q);
    if (one_in(30)) q.counts(static_cast<std::uint16_t>(random_() % 3), static_cast<std::uint16_t>(random_() % 2), 0);
    if (one_in(30)) q.after_message(octets(1 + random_() % 4));
    return q;
  }

 private:
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[random_() % from.size()];
  }
  bool one_in(unsigned n) { return random_() % n == 0; }

  std::string mixed_case(std::string name) {
    for (auto& c : name) {
      if (c >= 'a' && c <= 'z' && one_in(2)) c = static_cast<char>(c - 'a' + 'A');
    }
    return name;
  }

  void add_edns(query& q) {
    static const std::vector<std::uint16_t> sizes{0, 100, 511, 512, 513, 600, 1231, 1232, 1233, 1400, 4096, 65535};
    q.edns(pick(sizes));
    if (one_in(2)) q.dnssec_ok();
    if (one_in(20)) q.version(static_cast<std::uint8_t>(random_()));
    for (auto i = random_() % 4; i > 0; --i) {
      switch (random_() % 5) {
        case 0: q.cookie(); break;
        case 1: q.option(12, octets(random_() % 64)); break;
        case 2: q.ecs("2001:db8::", static_cast<unsigned>(32 + random_() % 97)); break;
        case 3: q.ecs("192.0.2.0", static_cast<unsigned>(24 + random_() % 9), one_in(10) ? 24 : 0); break;
        default:
          q.option(static_cast<std::uint16_t>(random_()), octets(random_() % 20, static_cast<std::uint8_t>(random_())));
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("kernel, native build and agent give the same octets, or the kernel passes", "[bpf][parity]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  generator queries(20240607);
  unsigned answered = 0, passed = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto q = queries.next();
    const auto frame = q.frame();
    const auto kernel = p.in_kernel(frame);
    const auto random = queries.number();
    p.native().random = random;
    const auto native = p.natively(frame);
    INFO("query " << i << " kernel verdict " << kernel.verdict << " native verdict " << native.verdict);
    REQUIRE(kernel.verdict != VERDICT_UNDECIDED);
    REQUIRE(native.verdict == kernel.verdict);
    REQUIRE(native.action == kernel.action);
    if (kernel.action == XDP_PASS) {
      ++passed;
      REQUIRE(kernel.frame == frame);
      REQUIRE(native.frame == frame);
      continue;
    }
    const auto expected = p.by_the_agent(q.message());
    if (kernel.action == XDP_DROP) {
      REQUIRE(expected == std::vector<octets>{octets{}});
      continue;
    }
    ++answered;
    for (const auto* out : {&kernel, &native}) {
      const auto reply = take_apart(out->frame, q);
      REQUIRE(reply.fault == "");
      REQUIRE(std::find(expected.begin(), expected.end(), reply.message) != expected.end());
    }
    // The native build draws the number that the test gives it, so it must be the very alternative.
    REQUIRE(take_apart(native.frame, q).message == p.by_the_agent(q, random));
  }
  WARN(answered << " answered by the kernel, " << passed << " passed to the agent");
  CHECK(answered > 7000);
  CHECK(passed > 3000);
}

TEST_CASE("octets changed at random never make the kernel answer what the agent would not", "[bpf][parity]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  generator queries(7);
  std::mt19937 random(8);
  for (int i = 0; i < 20000; ++i) {
    const auto q = queries.next();
    auto frame = q.frame();
    // Anywhere behind the MAC addresses; the checksum lets few of these through, so half of the queries have none.
    if (i % 2 == 0 && !q.is_ipv6()) frame[q.ip_offset() + 26] = frame[q.ip_offset() + 27] = 0;
    const std::size_t first = i % 2 == 0 ? q.ip_offset() + (q.is_ipv6() ? 40 : 20) + 8 : 12;
    for (auto n = 1 + random() % 3; n > 0 && first < frame.size(); --n) {
      frame[first + random() % (frame.size() - first)] = static_cast<std::uint8_t>(random());
    }
    const auto kernel = p.in_kernel(frame);
    const auto native = p.natively(frame);
    INFO("query " << i << " kernel verdict " << kernel.verdict << " native verdict " << native.verdict);
    REQUIRE(native.verdict == kernel.verdict);
    REQUIRE(native.action == kernel.action);
    if (kernel.action == XDP_PASS) REQUIRE(kernel.frame == frame);
    if (kernel.action != XDP_TX) continue;
    const std::size_t dns = q.ip_offset() + (q.is_ipv6() ? 40 : 20) + 8;
    const std::size_t udp_length = static_cast<std::size_t>(frame[dns - 4] << 8 | frame[dns - 3]);
    const octets message(frame.begin() + static_cast<std::ptrdiff_t>(dns),
                         frame.begin() + static_cast<std::ptrdiff_t>(dns + udp_length - 8));
    const auto expected = p.by_the_agent(message);
    const octets reply(kernel.frame.begin() + static_cast<std::ptrdiff_t>(dns), kernel.frame.end());
    REQUIRE(std::find(expected.begin(), expected.end(), reply) != expected.end());
  }
}

}  // namespace nearside::tests
