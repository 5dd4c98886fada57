// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/health.hpp"

#include <algorithm>
#include <utility>

namespace nearside::score {

bool health::add(outcome what, instant at) {
  const standing before = standing_;
  if (what == outcome::ok) {
    failures_ = 0;
    ++successes_;
    // The first result of all is believed: there is nothing yet that it could disturb.
    if (standing_ == standing::unknown || (standing_ == standing::down && successes_ >= rise(at)))
      standing_ = standing::up;
  } else {
    successes_ = 0;
    ++failures_;
    if (standing_ != standing::down && failures_ >= settings_.fall) {
      standing_ = standing::down;
      falls_.push_back(at);
      if (falls_.size() > most_falls) falls_.pop_front();
    }
  }
  if (standing_ == before) return false;
  since_ = at;
  return true;
}

std::uint32_t health::falls(instant at) const noexcept {
  return static_cast<std::uint32_t>(
      std::count_if(falls_.begin(), falls_.end(), [&](instant fall) { return at - fall <= settings_.flap_window; }));
}

std::uint32_t health::rise(instant at) const noexcept {
  std::uint64_t needed = settings_.rise;
  for (std::uint32_t fall = 1; fall < falls(at) && needed < settings_.rise_most; ++fall)
    needed *= settings_.rise_growth;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(needed, std::max(settings_.rise, settings_.rise_most)));
}

std::uint32_t health::missing(instant at) const noexcept {
  if (standing_ != standing::down) return 0;
  const std::uint32_t needed = rise(at);
  return needed > successes_ ? needed - successes_ : 0;
}

void health::restore(standing what, instant since, std::deque<instant> falls) {
  standing_ = what;
  since_ = since;
  falls_ = std::move(falls);
  while (falls_.size() > most_falls) falls_.pop_front();
}

}  // namespace nearside::score
