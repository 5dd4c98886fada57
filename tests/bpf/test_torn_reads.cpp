// SPDX-License-Identifier: BSD-2-Clause
// The hunt for half-read answers: answers change as fast as the publisher can change them while the program answers in
// another thread; every reply must be one of the two that were ever true, and none may be lost.
#include <linux/bpf.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/bpf/dataplane/zones.hpp"
#include "tests/bpf/program.hpp"

namespace nearside::tests {
namespace {

dns::zone_set zone_with(const std::vector<std::string>& small, const std::vector<std::string>& large) {
  zone_builder z("lb.example.com.");
  z.target("lb.example.com.", 2, "ns.example.net.");
  z.servers("small.lb.example.com.", small);
  z.servers("large.lb.example.com.", large);
  return z.alone();
}

std::vector<std::string> servers(const std::string& prefix, int count) {
  std::vector<std::string> all;
  for (int i = 1; i <= count; ++i) all.push_back(prefix + std::to_string(i));
  return all;
}

}  // namespace

TEST_CASE("while answers change, every reply is one of the valid ones and none is lost", "[bpf][torn]") {
  REQUIRE_KERNEL_SIDE();
  const auto first = [] { return zone_with(servers("203.0.113.", 2), servers("203.0.113.", 20)); };
  const auto second = [] { return zone_with(servers("198.51.100.", 3), servers("198.51.100.", 24)); };

  const query small("small.lb.example.com"), large = query("large.lb.example.com").edns();
  program p(first());
  std::set<octets> valid;
  for (const auto& zones : {first(), second()}) {
    p.publish(zones);
    for (const auto& q : {small, large}) {
      for (const auto& reply : p.by_the_agent(q.message())) valid.insert(reply);
    }
  }

  std::atomic<bool> done = false;
  std::atomic<unsigned> changes = 0;
  std::thread changer([&] {
    while (!done) {
      p.publisher().publish(first()).value();
      p.publisher().publish(second()).value();
      changes += 2;
    }
  });
  unsigned replies = 0, lost = 0, wrong = 0;
  for (int i = 0; i < 40000; ++i) {
    const auto& q = i % 2 ? small : large;
    const auto out = p.in_kernel(q.frame());
    // Passed means that the agent answers: not lost, though not by the kernel.
    if (out.action == XDP_DROP) ++lost;
    if (out.action != XDP_TX) continue;
    ++replies;
    const auto reply = take_apart(out.frame, q);
    if (reply.fault != "" || valid.count(reply.message) == 0) ++wrong;
  }
  done = true;
  changer.join();
  WARN(replies << " replies during " << changes << " changes");
  CHECK(lost == 0);
  CHECK(wrong == 0);
  CHECK(changes > 10);
  CHECK(replies > 1000);
}

}  // namespace nearside::tests
