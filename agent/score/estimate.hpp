// SPDX-License-Identifier: BSD-2-Clause
// The figures of one target that people and criteria ask for: smoothed RTT and its variation, minimum and loss over a
// window. Owned by the target; pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "agent/score/sample.hpp"

namespace nearside::score {

class estimate {
 public:
  /// Minimum and loss look back this far, in steps of `step`.
  static constexpr std::size_t steps = 10;
  static constexpr duration step = std::chrono::seconds(30);

  /// The RTT of a sample is its connect time, one round trip; where there is none, its first-byte time.
  void add(const sample& s);

  /// RFC 6298 2: SRTT and RTTVAR, with its ALPHA of 1/8 and BETA of 1/4. None before the first success.
  [[nodiscard]] std::optional<duration> smoothed() const noexcept { return smoothed_; }
  [[nodiscard]] duration variation() const noexcept { return variation_; }
  /// The least RTT of the window; none without a success in it.
  [[nodiscard]] std::optional<duration> minimum(instant now) const noexcept;
  /// Lost probes among all of the window, 0 to 1. An answer that is an error is not lost.
  [[nodiscard]] double loss(instant now) const noexcept;
  /// When the newest sample came.
  [[nodiscard]] std::optional<instant> newest() const noexcept { return newest_; }

  /// Goes on from figures kept over a restart; the window starts empty.
  void restore(duration smoothed, duration variation) noexcept;

 private:
  struct bucket {
    std::int64_t number = -1;  // which step since the epoch; an older one is void
    std::uint32_t probes = 0;
    std::uint32_t lost = 0;
    std::optional<duration> minimum;
  };
  [[nodiscard]] static std::int64_t number_of(instant at) noexcept { return at.time_since_epoch() / step; }

  std::optional<duration> smoothed_;
  duration variation_{};
  std::optional<instant> newest_;
  std::array<bucket, steps> window_{};
};

}  // namespace nearside::score
