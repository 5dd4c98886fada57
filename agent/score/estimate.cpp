// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/estimate.hpp"

#include <algorithm>

namespace nearside::score {

void estimate::add(const sample& s) {
  newest_ = s.at;
  const std::int64_t number = number_of(s.at);
  bucket& now = window_[static_cast<std::size_t>(number) % steps];
  if (now.number != number) now = {.number = number, .minimum = std::nullopt};
  ++now.probes;
  if (s.what == outcome::lost) ++now.lost;
  if (s.what != outcome::ok) return;
  const auto rtt = s.connect ? s.connect : s.first_byte;
  if (!rtt) return;
  now.minimum = std::min(now.minimum.value_or(*rtt), *rtt);
  if (!smoothed_) {
    smoothed_ = *rtt;
    variation_ = *rtt / 2;
    return;
  }
  const duration away = *smoothed_ > *rtt ? *smoothed_ - *rtt : *rtt - *smoothed_;
  variation_ = (3 * variation_ + away) / 4;
  smoothed_ = (7 * *smoothed_ + *rtt) / 8;
}

std::optional<duration> estimate::minimum(instant now) const noexcept {
  std::optional<duration> least;
  const std::int64_t oldest = number_of(now) - static_cast<std::int64_t>(steps);
  for (const bucket& b : window_) {
    if (b.number > oldest && b.minimum) least = std::min(least.value_or(*b.minimum), *b.minimum);
  }
  return least;
}

double estimate::loss(instant now) const noexcept {
  std::uint32_t probes = 0;
  std::uint32_t lost = 0;
  const std::int64_t oldest = number_of(now) - static_cast<std::int64_t>(steps);
  for (const bucket& b : window_) {
    if (b.number <= oldest) continue;
    probes += b.probes;
    lost += b.lost;
  }
  return probes == 0 ? 0 : static_cast<double>(lost) / probes;
}

void estimate::restore(duration smoothed, duration variation) noexcept {
  smoothed_ = smoothed;
  variation_ = variation;
}

}  // namespace nearside::score
