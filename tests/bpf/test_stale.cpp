// SPDX-License-Identifier: BSD-2-Clause
// Past the lease: what the program answers when the agent has not been heard of, by the operator's rule.
#include <linux/bpf.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "agent/dataplane/lease.hpp"
#include "agent/dataplane/tables.hpp"
#include "tests/bpf/program.hpp"
#include "tests/support/choices.hpp"

namespace nearside::tests {
namespace {

using dataplane::stale_rule;

dns::choices all_servers() {
  auto stale = program::standard_choices();
  stale[0] = {{rotation(3, 3), rotation(2, 3)}};
  stale[1] = {{rotation(3, 3), rotation(2, 3)}};
  stale[2] = {{rotation(1, 3), rotation(1, 3)}};
  stale[3] = {{rotation(1, 3), nodata()}};
  return stale;
}

struct stale_program {
  program p{program::standard_zone(), program::standard_choices(), all_servers()};
  program fresh{program::standard_zone(), all_servers()};

  stale_program() { run_out(); }
  void run_out() {
    p.tables().config().lease_deadline = 1;
    p.native().jiffies = 2;
  }
  /// The kernel's reply is one of those that the agent gives where all servers are chosen.
  bool answers_all(const query& q) {
    const auto out = p.in_kernel(q.frame());
    if (out.action != XDP_TX || take_apart(out.frame, q).fault != "") return false;
    const auto expected = fresh.by_the_agent(q.message());
    p.native().random = 0x40000000;
    return std::find(expected.begin(), expected.end(), take_apart(out.frame, q).message) != expected.end() &&
           take_apart(p.natively(q.frame()).frame, q).message == fresh.by_the_agent(q, 0x40000000);
  }
};

}  // namespace

TEST_CASE("past the lease all is passed, or, as the rule says, answered with all servers", "[bpf][lease][stale]") {
  REQUIRE_KERNEL_SIDE();
  stale_program s;
  const query shares("shares.lb.example.com");
  CHECK(s.p.in_kernel(shares.frame()).verdict == VERDICT_PASS_LEASE);
  CHECK(s.p.natively(shares.frame()).verdict == VERDICT_PASS_LEASE);

  CHECK(dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer));
  CHECK_FALSE(dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer));
  CHECK(s.answers_all(shares));
  CHECK(s.answers_all(query(shares).type(28)));
  CHECK(s.answers_all(query("client.lb.example.com").ecs("203.0.113.0", 24)));  // at random now: scope 0
  CHECK(s.answers_all(query("half.lb.example.com")));                           // NODATA while the agent lived
  CHECK(s.answers_all(query("down.lb.example.com")));                           // SERVFAIL while the agent lived

  CHECK(dataplane::apply_stale_rule(s.p.tables(), stale_rule::pass));
  CHECK(s.p.in_kernel(shares.frame()).verdict == VERDICT_PASS_LEASE);
}

TEST_CASE("what is in no pool is answered past the lease as ever", "[bpf][lease][stale]") {
  REQUIRE_KERNEL_SIDE();
  stale_program s;
  dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer);
  CHECK(s.answers_all(query("one.lb.example.com")));
  CHECK(s.answers_all(query("lb.example.com").type(2)));
  CHECK(s.answers_all(query("shares.lb.example.com").type(16)));
  CHECK(s.answers_all(query("down.lb.example.com").type(28)));
  CHECK(s.p.in_kernel(query("undecided.lb.example.com").frame()).verdict == VERDICT_PASS_NO_IMAGE);
}

TEST_CASE("within the lease the choices are answered, whatever the rule", "[bpf][lease][stale]") {
  REQUIRE_KERNEL_SIDE();
  stale_program s;
  dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer);
  s.p.tables().config().lease_deadline = ~std::uint64_t{0};
  CHECK(s.p.in_kernel(query("half.lb.example.com").frame()).verdict == VERDICT_ANSWERED_NODATA);
  CHECK(s.p.in_kernel(query("down.lb.example.com").frame()).verdict == VERDICT_PASS_NO_IMAGE);
}

TEST_CASE("before the first lease all is passed, whatever the rule", "[bpf][lease][stale]") {
  REQUIRE_KERNEL_SIDE();
  stale_program s;
  dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer);
  s.p.tables().config().lease_deadline = 0;
  CHECK(s.p.in_kernel(query("one.lb.example.com").frame()).verdict == VERDICT_PASS_LEASE);
  CHECK(s.p.natively(query("one.lb.example.com").frame()).verdict == VERDICT_PASS_LEASE);
}

TEST_CASE("answers past the lease are counted beside the verdict", "[bpf][lease][stale][counters]") {
  REQUIRE_KERNEL_SIDE();
  stale_program s;
  dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer);
  const auto before = dataplane::read_counters(s.p.tables()).value();
  s.p.in_kernel(query("shares.lb.example.com").frame());
  s.p.in_kernel(query("one.lb.example.com").type(28).frame());
  s.p.in_kernel(query("nothing.lb.example.com").frame());
  s.p.tables().config().lease_deadline = ~std::uint64_t{0};
  s.p.in_kernel(query("one.lb.example.com").frame());
  const auto more = dataplane::read_counters(s.p.tables()).value().since(before);
  CHECK(more.packets[COUNTER_STALE] == 2);
  CHECK(more.answered() == 3);
}

TEST_CASE("an agent started again takes the words past the lease over, and clears them when the rule changes",
          "[bpf][stale][publish]") {
  REQUIRE_KERNEL_SIDE();
  stale_program s;
  dataplane::apply_stale_rule(s.p.tables(), stale_rule::answer);
  auto next = dataplane::publisher::adopt(s.p.tables()).value();
  CHECK(s.answers_all(query("down.lb.example.com")));
  CHECK(next.publish(program::standard_zone(), program::standard_choices(), all_servers()).value().unchanged());
  CHECK_FALSE(next.publish(program::standard_zone(), program::standard_choices(), {}).value().unchanged());
  CHECK(s.p.in_kernel(query("down.lb.example.com").frame()).verdict == VERDICT_PASS_NO_IMAGE);
  for (std::uint32_t set = 0; set < s.p.tables().sets(); ++set) {
    for (const auto& ref : dataplane::stale_answers_of(s.p.tables(), set)) CHECK(ref.alternatives == 0);
  }
}

}  // namespace nearside::tests
