// SPDX-License-Identifier: BSD-2-Clause
// Answers that are chosen: shares, choices by client, and changes, from the kernel, the native build and the agent.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <catch2/catch.hpp>
#include <map>

#include "tests/bpf/program.hpp"
#include "tests/support/choices.hpp"

namespace nearside::tests {
namespace {

/// The reply's message, equal from the kernel, the native build and the agent, whatever number is drawn.
octets answered(program& p, const query& q, std::uint32_t verdict = VERDICT_ANSWERED) {
  const auto kernel = p.in_kernel(q.frame());
  CHECK(kernel.verdict == verdict);
  REQUIRE(kernel.action == XDP_TX);
  const auto reply = take_apart(kernel.frame, q);
  REQUIRE(reply.fault == "");
  for (const std::uint32_t random : {0u, 0x80000000u, 0xffffffffu}) {
    p.native().random = random;
    CHECK(take_apart(p.natively(q.frame()).frame, q).message == p.by_the_agent(q, random));
    CHECK(p.by_the_agent(q, random) == reply.message);
  }
  return reply.message;
}

unsigned scope_of(const octets& reply, std::size_t address_octets) {
  return reply.at(reply.size() - address_octets - 1);
}

}  // namespace

TEST_CASE("a choice by client is the same from kernel and agent, by address and by ECS, with its scope",
          "[bpf][choice][ecs]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  std::map<octets, int> seen;
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{28}}) {
    for (int i = 0; i < 64; ++i) {
      CAPTURE(type, i);
      const auto number = std::to_string(i);
      const auto q = query("client.lb.example.com").type(type);
      const auto plain = answered(p, query(q).from("203.0." + number + ".9"));
      ++seen[plain];
      CHECK(answered(p, query(q).from("203.0." + number + ".200")) == plain);
      answered(p, query(q).over_ipv6().from("2001:db8:" + number + "::9"));
      const auto told = answered(p, query(q).ecs("203.0." + number + ".0", 24));
      CHECK(scope_of(told, 3) == 24);
      CHECK(octets(told.begin() + 12, told.begin() + 40) == octets(plain.begin() + 12, plain.begin() + 40));
      CHECK(scope_of(answered(p, query(q).ecs("203.0." + number + ".77", 32)), 4) == 24);
      CHECK(scope_of(answered(p, query(q).ecs("203.0.0.0", 17)), 3) == 17);
      CHECK(scope_of(answered(p, query(q).over_ipv6().ecs("2001:db8:" + number + ":ff00::", 56)), 7) == 56);
      CHECK(scope_of(answered(p, query(q).over_ipv6().ecs("2001:db8:" + number + ":ff01::", 64)), 8) == 56);
      CHECK(scope_of(answered(p, query(q).over_ipv6().ecs("2001:db8:" + number + "::", 48)), 6) == 48);
      CHECK(scope_of(answered(p, query(q).ecs("0.0.0.0", 0)), 0) == 0);
    }
  }
  CHECK(seen.size() == 3 + 2);
}

TEST_CASE("NODATA and random answers have scope 0, and a family without a server is NODATA", "[bpf][choice][ecs]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto half = answered(p, query("half.lb.example.com").ecs("203.0.113.0", 24), VERDICT_ANSWERED_NODATA);
  CHECK(scope_of(half, 3) == 0);
  answered(p, query("half.lb.example.com").type(28));
  const auto other =
      answered(p, query("client.lb.example.com").type(16).ecs("203.0.113.0", 24), VERDICT_ANSWERED_NODATA);
  CHECK(scope_of(other, 3) == 0);
  // The frame's number is the kernel's own: only the scope can be told.
  const auto random = p.in_kernel(query("shares.lb.example.com").ecs("203.0.113.0", 24).frame());
  CHECK(random.frame.at(random.frame.size() - 4) == 0);
}

TEST_CASE("SERVFAIL and what is not decided is the agent's to say", "[bpf][choice]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  for (const char* name : {"down.lb.example.com", "undecided.lb.example.com"}) {
    CHECK(p.in_kernel(query(name).frame()).verdict == VERDICT_PASS_NO_IMAGE);
    CHECK((p.by_the_agent(query(name), 0).at(3) & 0x0f) == 2);
  }
}

TEST_CASE("a million answers of the kernel show the configured shares within one percent", "[bpf][choice][shares]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const query q("shares.lb.example.com");
  const auto frame = q.frame();
  octets out(512);
  std::map<std::uint8_t, int> first;
  constexpr int queries = 1'000'000;
  for (int i = 0; i < queries; ++i) {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.data_out = out.data();
    options.data_size_out = static_cast<std::uint32_t>(out.size());
    options.repeat = 1;
    if (bpf_prog_test_run_opts(p.tables().program(), &options) != 0 || options.retval != XDP_TX) FAIL("not answered");
    ++first[out[options.data_size_out - 1]];
  }
  CHECK(first.size() == 3);
  CHECK(first[1] / double{queries} == Approx(1 / 8.0).margin(0.01));
  CHECK(first[2] / double{queries} == Approx(2 / 8.0).margin(0.01));
  CHECK(first[3] / double{queries} == Approx(5 / 8.0).margin(0.01));
}

TEST_CASE("an image whose other alternative is none of its answer's is not followed", "[bpf][choice][unsettled]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  for (auto& slot : p.tables().slots_small()) {
    if (slot.share == 0xffff) continue;
    slot.share = 0;
    slot.other = 3;
  }
  p.native().random = 0xffff0000u / 3;  // the first alternative, at the end of its part
  CHECK(p.natively(query("shares.lb.example.com").frame()).verdict == VERDICT_PASS_UNSETTLED);
}

TEST_CASE("a decision changes what kernel and agent answer", "[bpf][choice]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const query a("shares.lb.example.com"), aaaa = query("shares.lb.example.com").type(28);
  p.change(0, {just({2}, 5), nodata()});
  CHECK(answered(p, a).back() == 3);
  answered(p, aaaa, VERDICT_ANSWERED_NODATA);
  p.change(0, {servfail(), just({1}, 5)});
  CHECK(p.in_kernel(a.frame()).verdict == VERDICT_PASS_NO_IMAGE);
  CHECK(answered(p, aaaa).back() == 2);
  p.change(0, {by_client(just({0}, 5)), just({1}, 5)});
  CHECK(scope_of(answered(p, query(a).ecs("203.0.113.0", 24)), 3) == 24);
  p.change(0, {just({0}, 5), just({1}, 5)});
  CHECK(scope_of(answered(p, query(a).ecs("203.0.113.0", 24)), 3) == 0);
  answered(p, query("one.lb.example.com"));
}

}  // namespace nearside::tests
