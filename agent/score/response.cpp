// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/response.hpp"

#include <algorithm>
#include <cmath>

namespace nearside::score {
namespace {

// A series without any variation would make an outlier of everything: deviations count for at least this much.
constexpr double least_deviation_ms = 0.2;
constexpr double least_deviation_part = 0.02;

/// How much a new value moves an average of this time constant, `seconds` after the one before.
double step_of(double seconds, duration constant) {
  const double over = seconds_of(constant);
  return over <= 0 ? 1 : 1 - std::exp(-seconds / over);
}

}  // namespace

void response::add(const sample& s, const latency_settings& by) {
  const double seconds = probe_at_ ? std::max(0.0, seconds_of(s.at - *probe_at_)) : 0;
  probe_at_ = s.at;
  penalty_ += step_of(seconds, by.penalty_smoothing) * (cost_of(s, by) - penalty_);
  trouble_before_ = s.what != outcome::ok;
  if (s.what != outcome::ok || !s.first_byte) return;
  add_time(milliseconds_of(*s.first_byte), time_at_ ? std::max(0.0, seconds_of(s.at - *time_at_)) : 0, by);
  time_at_ = s.at;
}

double response::cost_of(const sample& s, const latency_settings& by) const {
  if (s.what == outcome::ok) return 0;
  const double cost = milliseconds_of(s.what == outcome::lost ? by.lost_penalty : by.failed_penalty);
  return trouble_before_ ? cost : cost * by.first_loss_share;
}

void response::add_time(double milliseconds, double seconds, const latency_settings& by) {
  if (!smoothed_) {
    smoothed_ = milliseconds;
    deviation_ = milliseconds / 4;
    return;
  }
  const double usual = std::max({deviation_, least_deviation_ms, *smoothed_ * least_deviation_part});
  const double limit = by.clip_deviations * usual;
  double away = milliseconds - *smoothed_;
  const bool outlier = std::abs(away) > limit;
  if (outlier && !outlier_before_) away = std::clamp(away, -limit, limit);
  outlier_before_ = outlier;
  const double step = step_of(seconds, by.smoothing);
  *smoothed_ += step * away;
  deviation_ += step * (std::abs(away) - deviation_);
}

void response::restore(double smoothed, double deviation, double penalty) noexcept {
  smoothed_ = smoothed;
  deviation_ = deviation;
  penalty_ = penalty;
}

}  // namespace nearside::score
