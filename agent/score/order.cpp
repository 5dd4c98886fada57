// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/order.hpp"

#include <algorithm>
#include <cmath>

namespace nearside::score {
namespace {

constexpr double not_measured_ms = 1e6;

const member& who(const ordering& given, std::size_t address) {
  return given.of.members[given.family.addresses[address].member];
}

std::vector<share> shares_of(const ordering& given, std::span<const std::size_t> addresses) {
  std::vector<share> shares;
  for (const std::size_t a : addresses) shares.push_back({static_cast<std::uint8_t>(a), who(given, a).weight});
  return shares;
}

std::size_t count_or(const ordering& given, std::size_t usual) {
  return given.of.rules.addresses == 0 ? usual : given.of.rules.addresses;
}

std::vector<dns::alternative> one_answer(std::span<const std::size_t> addresses, std::size_t count) {
  dns::alternative only;
  for (const std::size_t a : addresses.first(std::min(count, addresses.size())))
    only.order.push_back(static_cast<std::uint8_t>(a));
  return {std::move(only)};
}

std::vector<dns::alternative> failover(const ordering& given) {
  std::vector<std::size_t> sorted(given.eligible.begin(), given.eligible.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](std::size_t a, std::size_t b) { return who(given, a).priority < who(given, b).priority; });
  return one_answer(sorted, count_or(given, 1));
}

std::vector<dns::alternative> spread(const ordering& given, family_memory& memory) {
  double best = HUGE_VAL;
  for (const std::size_t a : given.eligible) best = std::min(best, expected_of(given, a));
  const double distance = std::max(best * given.of.rules.within_percent / 100, milliseconds_of(given.of.rules.within));
  memory.within.resize(given.candidates.size());
  std::vector<std::size_t> near;
  for (const std::size_t a : given.eligible) {
    const double limit = best + distance * (memory.within[a] ? leave_beyond : 1);
    if (expected_of(given, a) <= limit) near.push_back(a);
    // Who only stood in without a result has not joined.
    memory.within[a] = expected_of(given, a) <= limit && given.candidates[a].expected;
  }
  return rotation(shares_of(given, near), count_or(given, near.size()));
}

std::vector<dns::alternative> by_client(const ordering& given, family_memory& memory) {
  if (!memory.hash) {
    std::vector<std::string> servers;
    std::vector<std::uint32_t> weights;
    for (const pool_address& a : given.family.addresses) {
      servers.push_back(given.of.members[a.member].server);
      weights.push_back(given.of.members[a.member].weight);
    }
    memory.hash.emplace(servers, std::move(weights));
  }
  return memory.hash->table(shares_of(given, given.eligible), count_or(given, 1));
}

bool results_are_still_coming(std::span<const candidate> candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [](const candidate& c) {
    return c.measured == standing::unknown && c.forced == administrative::none;
  });
}

std::vector<dns::alternative> latency(const ordering& given, family_memory& memory) {
  const auto contenders = contenders_of(given);
  const auto before = memory.latency.serving();
  const auto serving =
      memory.latency.decide(contenders, results_are_still_coming(given.candidates), given.now, given.by);
  const std::size_t count = count_or(given, 1);
  if (count == 1) return one_answer(std::vector{*serving}, 1);
  // Those that follow are ranked when somebody else serves, comes or goes: by each sample they would change places.
  std::vector<std::size_t> eligible(given.eligible.begin(), given.eligible.end());
  auto sorted_before = memory.follow;
  std::sort(sorted_before.begin(), sorted_before.end());
  if (before != serving || sorted_before != eligible) {
    std::stable_sort(eligible.begin(), eligible.end(), [&](std::size_t a, std::size_t b) {
      if ((a == *serving) != (b == *serving)) return a == *serving;
      return expected_of(given, a) < expected_of(given, b);
    });
    memory.follow = std::move(eligible);
  }
  return one_answer(memory.follow, count);
}

}  // namespace

double expected_of(const ordering& given, std::size_t address) {
  return given.candidates[address].expected.value_or(not_measured_ms) + who(given, address).cost;
}

std::vector<contender> contenders_of(const ordering& given) {
  std::vector<contender> all;
  for (const std::size_t a : given.eligible) all.push_back({a, expected_of(given, a)});
  return all;
}

std::vector<dns::alternative> order(const ordering& given, family_memory& memory) {
  switch (given.of.rules.how) {
    case policy::latency: return latency(given, memory);
    case policy::failover: return failover(given);
    case policy::spread: return spread(given, memory);
    case policy::hash: return by_client(given, memory);
    case policy::weighted: return rotation(shares_of(given, given.eligible), count_or(given, 1));
    case policy::all: break;
  }
  return rotation(shares_of(given, given.eligible), count_or(given, given.eligible.size()));
}

}  // namespace nearside::score
