// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/shares.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace nearside::score {
namespace {

// FNV-1a over the name, then SplitMix64: what a server hashes to must not change between releases.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return mix(hash);
}

std::vector<std::uint8_t> circle(std::span<const share> among, std::size_t first, std::size_t addresses) {
  std::vector<std::uint8_t> order;
  const std::size_t count = std::min(std::max<std::size_t>(addresses, 1), among.size());
  for (std::size_t i = 0; i < count; ++i) order.push_back(among[(first + i) % among.size()].address);
  return order;
}

}  // namespace

std::vector<dns::alternative> rotation(std::span<const share> among, std::size_t addresses) {
  std::vector<dns::alternative> made;
  const double total =
      std::accumulate(among.begin(), among.end(), 0.0, [](double sum, const share& s) { return sum + s.weight; });
  std::vector<double> height;  // of each column, 1 being full
  for (std::size_t i = 0; i < among.size(); ++i) {
    made.push_back({.order = circle(among, i, addresses)});
    height.push_back(total > 0 ? among[i].weight * static_cast<double>(among.size()) / total : 1);
  }
  std::vector<std::size_t> low;
  std::vector<std::size_t> high;
  for (std::size_t i = 0; i < height.size(); ++i) (height[i] < 1 ? low : high).push_back(i);
  while (!low.empty() && !high.empty()) {
    const std::size_t small = low.back();
    const std::size_t large = high.back();
    low.pop_back();
    // A share of 0 cannot be told apart from 1/65,536 here: one answer in 65,536 x n at most is wrong by that.
    made[small].share = static_cast<std::uint16_t>(std::clamp(std::lround(height[small] * 65536) - 1, 0L, 65535L));
    made[small].other = static_cast<std::uint8_t>(large);
    height[large] -= 1 - height[small];
    if (height[large] < 1) {
      high.pop_back();
      low.push_back(large);
    }
  }
  return made;
}

double share_of(const std::vector<dns::alternative>& alternatives, std::uint8_t address) {
  double sum = 0;
  for (const dns::alternative& a : alternatives) {
    const double own = (a.share + 1) / 65536.0;
    if (a.order.front() == address) sum += own;
    if (own < 1 && alternatives[a.other].order.front() == address) sum += 1 - own;
  }
  return alternatives.empty() ? 0 : sum / static_cast<double>(alternatives.size());
}

rendezvous::rendezvous(const std::vector<std::string>& servers, std::vector<std::uint32_t> weights)
    : weights_(std::move(weights)) {
  constexpr std::uint64_t seeds = 16;
  for (const std::string& server : servers) hashes_.push_back(hash_of(server));
  std::uint64_t best = 0;
  double least = HUGE_VAL;
  for (seed_ = 0; seed_ < seeds; ++seed_) {
    const double uneven = unevenness();
    if (uneven >= least) continue;
    least = uneven;
    best = seed_;
  }
  seed_ = best;
}

double rendezvous::score(std::size_t bucket, const share& of) const {
  const std::uint64_t hash = mix(hashes_[of.address] ^ mix(bucket * 0x10001u + seed_));
  // In (0, 1): neither end may occur in a logarithm.
  const double uniform = (static_cast<double>(hash >> 11) + 0.5) / 9007199254740992.0;
  return -static_cast<double>(of.weight) / std::log(uniform);
}

double rendezvous::unevenness() const {
  std::vector<share> all;
  double total = 0;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    all.push_back({static_cast<std::uint8_t>(i), weights_[i]});
    total += weights_[i];
  }
  if (total == 0) return 0;
  const auto made = table(all, 1);
  double worst = 0;
  for (const share& s : all) worst = std::max(worst, std::abs(share_of(made, s.address) - s.weight / total));
  return worst;
}

std::vector<dns::alternative> rendezvous::table(std::span<const share> among, std::size_t addresses) const {
  // Weights of 0 are there only among other zeros, and count alike.
  const auto weighed = [](share s) {
    s.weight = std::max<std::uint32_t>(s.weight, 1);
    return s;
  };
  std::vector<dns::alternative> made;
  std::vector<std::pair<double, std::uint8_t>> ranked(among.size());
  const std::size_t count = std::min(std::max<std::size_t>(addresses, 1), among.size());
  for (std::size_t bucket = 0; bucket < (among.size() > 1 ? buckets : among.size()); ++bucket) {
    for (std::size_t i = 0; i < among.size(); ++i) ranked[i] = {-score(bucket, weighed(among[i])), among[i].address};
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count), ranked.end());
    dns::alternative next;
    for (std::size_t i = 0; i < count; ++i) next.order.push_back(ranked[i].second);
    made.push_back(std::move(next));
  }
  return made;
}

}  // namespace nearside::score
