// SPDX-License-Identifier: BSD-2-Clause
// The hunt for half-read answers: answers change as fast as the publisher can change them while the program answers in
// another thread; every reply must be one of the two that were ever true, and none may be lost.
#include <linux/bpf.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/bpf/dataplane/zones.hpp"
#include "tests/bpf/program.hpp"
#include "tests/support/choices.hpp"

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

/// Both queries, as often as that, while `change` goes on in another thread.
struct hunted {
  unsigned replies = 0;
  unsigned lost = 0;
  unsigned wrong = 0;
  unsigned changes = 0;
};
template <typename Change>
hunted hunt(program& p, const std::array<query, 2>& asked, const std::set<octets>& valid, int times,
            const Change& change) {
  hunted found;
  std::atomic<bool> done = false;
  std::thread changer([&] {
    for (; !done; ++found.changes) change(found.changes);
  });
  for (int i = 0; i < times; ++i) {
    const auto& q = asked[static_cast<std::size_t>(i) % 2];
    const auto out = p.in_kernel(q.frame());
    // Passed means that the agent answers: not lost, though not by the kernel.
    if (out.action == XDP_DROP) ++found.lost;
    if (out.action != XDP_TX) continue;
    ++found.replies;
    const auto reply = take_apart(out.frame, q);
    if (reply.fault != "" || valid.count(reply.message) == 0) ++found.wrong;
  }
  done = true;
  changer.join();
  WARN(found.replies << " replies during " << found.changes << " changes");
  return found;
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

  const auto found = hunt(p, {small, large}, valid, 40'000, [&](unsigned number) {
    p.publisher().publish(number % 2 == 0 ? first() : second(), {}, {}).value();
  });
  CHECK(found.lost == 0);
  CHECK(found.wrong == 0);
  CHECK(found.changes > 10);
  CHECK(found.replies > 1000);
}

TEST_CASE("while decisions change answers, every reply is one of the valid ones and none is lost",
          "[bpf][torn][choice]") {
  REQUIRE_KERNEL_SIDE();
  zone_builder z("lb.example.com.");
  z.pooled("small.lb.example.com.", 0, servers("203.0.113.", 3));
  z.pooled("large.lb.example.com.", 1, servers("203.0.113.", 40));
  std::vector<std::uint8_t> upper, lower;
  for (std::uint8_t i = 0; i < 20; ++i) {
    lower.push_back(i);
    upper.push_back(static_cast<std::uint8_t>(39 - i));
  }
  const std::vector<dns::choices> decisions{
      {{{weighted({1, 2, 5}, 20), nodata()}}, {{just(lower, 20), nodata()}}},
      {{{by_client(rotation(3, 3)), nodata()}}, {{just(upper, 3), nodata()}}},
      {{{just({2}, 20), nodata()}}, {{weighted({1, 1, 1, 1, 1, 4}, 20), nodata()}}},
      {{{nodata(), nodata()}}, {{servfail(), nodata()}}},
  };
  const query small("small.lb.example.com"), large = query("large.lb.example.com").edns();
  program p(z.alone(), decisions[0]);
  std::set<octets> valid;
  for (const auto& decided : decisions) {
    p.change(0, decided[0]);
    p.change(1, decided[1]);
    for (const auto& q : {small, large}) {
      for (const auto& reply : p.by_the_agent(q.message())) valid.insert(reply);
    }
  }

  const auto found = hunt(p, {small, large}, valid, 60'000, [&](unsigned number) {
    constexpr std::array<std::uint32_t, 2> pools{0, 1};
    p.publisher().change(decisions[number % decisions.size()], pools);
    // As slots rest for a second, they would soon run out: then the agent answers, and nothing is tried here.
    std::this_thread::sleep_for(std::chrono::microseconds(number % 64 == 0 ? 4000 : 200));
  });
  CHECK(found.lost == 0);
  CHECK(found.wrong == 0);
  CHECK(found.changes > 100);
  CHECK(found.replies > 10000);
}

}  // namespace nearside::tests
