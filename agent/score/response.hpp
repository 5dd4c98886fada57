// SPDX-License-Identifier: BSD-2-Clause
// What a client would wait for one target: its smoothed first-byte time, plus a penalty for what gets lost or fails.
// Owned by the target; pure.
#pragma once

#include <optional>

#include "agent/score/settings.hpp"

namespace nearside::score {

class response {
 public:
  void add(const sample& s, const latency_settings& by);

  /// Milliseconds; none before the first success.
  [[nodiscard]] std::optional<double> expected() const noexcept {
    return smoothed_ ? std::optional(*smoothed_ + penalty_) : std::nullopt;
  }
  /// Its parts, in milliseconds.
  [[nodiscard]] std::optional<double> smoothed() const noexcept { return smoothed_; }
  [[nodiscard]] double deviation() const noexcept { return deviation_; }
  [[nodiscard]] double penalty() const noexcept { return penalty_; }

  /// Goes on from figures kept over a restart.
  void restore(double smoothed, double deviation, double penalty) noexcept;

 private:
  void add_time(double milliseconds, double seconds, const latency_settings& by);
  [[nodiscard]] double cost_of(const sample& s, const latency_settings& by) const;

  std::optional<double> smoothed_;
  double deviation_ = 0;
  double penalty_ = 0;
  bool outlier_before_ = false;      // the time before was clipped
  bool trouble_before_ = false;      // the probe before was lost or failed
  std::optional<instant> time_at_;   // of the last first-byte time
  std::optional<instant> probe_at_;  // of the last sample
};

}  // namespace nearside::score
