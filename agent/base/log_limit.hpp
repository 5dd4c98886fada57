// SPDX-License-Identifier: BSD-2-Clause
// How many lines of one kind are worth writing: a burst, then one a while, with the number of those that were left out.
// What others can provoke must not fill a disk. Pure, time comes in; owned by who writes the lines.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace nearside {

class log_limit {
 public:
  using clock = std::chrono::steady_clock;

  /// `burst` lines at once, and one more each `interval`.
  explicit log_limit(double burst = 10, clock::duration interval = std::chrono::seconds(1))
      : burst_(burst), interval_(interval), tokens_(burst) {}

  /// How many were left out since the last line; nothing: this one is left out too.
  [[nodiscard]] std::optional<std::uint64_t> tell(clock::time_point now) {
    if (const auto passed = now - last_; last_ == clock::time_point{} || passed > clock::duration::zero()) {
      tokens_ = last_ == clock::time_point{}
                    ? burst_
                    : std::min(burst_, tokens_ + std::chrono::duration<double>(passed) / interval_);
      last_ = now;
    }
    if (tokens_ < 1) {
      ++untold_;
      return std::nullopt;
    }
    tokens_ -= 1;
    return std::exchange(untold_, 0);
  }

 private:
  double burst_;
  clock::duration interval_;
  double tokens_;
  clock::time_point last_;
  std::uint64_t untold_ = 0;
};

}  // namespace nearside
