// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/takeover.hpp"

#include <algorithm>

namespace nearside::score {
namespace {

const contender* find(std::span<const contender> contenders, std::optional<std::size_t> address) {
  const auto found = std::find_if(contenders.begin(), contenders.end(),
                                  [&](const contender& c) { return address && c.address == *address; });
  return found == contenders.end() ? nullptr : &*found;
}

}  // namespace

void takeover::serve(std::size_t address) {
  serving_ = address;
  std::fill(evidence_.begin(), evidence_.end(), 0);
}

std::optional<std::size_t> takeover::decide(std::span<const contender> contenders, bool coming, instant now,
                                            const latency_settings& by) {
  const double seconds = decided_at_ ? std::max(0.0, seconds_of(now - *decided_at_)) : 0;
  decided_at_ = now;
  const bool open = !settled_;
  settled_ |= !coming;
  if (contenders.empty()) {
    serving_.reset();
    return serving_;
  }
  const auto best = std::min_element(contenders.begin(), contenders.end(),
                                     [](const contender& a, const contender& b) { return a.expected < b.expected; });
  const contender* const serving = find(contenders, serving_);
  if (serving == nullptr || open) {
    if (serving == nullptr || best->address != serving->address) serve(best->address);
    return serving_;
  }
  const contender* next = nullptr;
  // Who is no contender now, being down, begins anew when it is back.
  before_.swap(evidence_);
  evidence_.assign(before_.size(), 0);
  for (const contender& c : contenders) {
    if (evidence_.size() <= c.address) evidence_.resize(c.address + 1);
    if (c.address == serving->address) continue;
    // A gain within the margin, or a loss, speaks against it just as it did for it.
    const double gain = serving->expected - c.expected - milliseconds_of(by.margin);
    const double there = c.address < before_.size() ? before_[c.address] : 0;
    double& evidence = evidence_[c.address];
    evidence = std::max(0.0, there + gain * seconds);
    if (evidence >= by.evidence && (next == nullptr || c.expected < next->expected)) next = &c;
  }
  if (next != nullptr) serve(next->address);
  return serving_;
}

std::optional<duration> takeover::nearest(std::span<const contender> contenders, const latency_settings& by) const {
  const contender* const serving = find(contenders, serving_);
  std::optional<duration> soonest;
  if (serving == nullptr) return soonest;
  for (const contender& c : contenders) {
    const double gain = serving->expected - c.expected - milliseconds_of(by.margin);
    const double there = evidence(c.address);
    if (c.address == serving->address || gain <= 0 || there < by.evidence / 2) continue;
    // A gain of next to nothing takes for ever; a day says as much.
    const double seconds_left = std::min((by.evidence - there) / gain, 86400.0);
    const duration left(static_cast<duration::rep>(seconds_left * 1e9));
    soonest = std::min(soonest.value_or(left), left);
  }
  return soonest;
}

}  // namespace nearside::score
