// SPDX-License-Identifier: BSD-2-Clause
// Up or down: a state machine fed by outcomes. Flapping damps itself, since each fall within the window makes the way
// up longer. Owned by the target; pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "agent/score/settings.hpp"

namespace nearside::score {

enum class standing : std::uint8_t { unknown, up, down };

class health {
 public:
  explicit health(const health_settings& settings) : settings_(settings) {}

  /// Takes one outcome; true: the standing has changed by it.
  bool add(outcome what, instant at);

  [[nodiscard]] standing now() const noexcept { return standing_; }
  /// When the standing last changed; none before the first result.
  [[nodiscard]] std::optional<instant> since() const noexcept { return since_; }
  /// Failures have begun and are not yet enough: the next result should come soon.
  [[nodiscard]] bool failing() const noexcept { return standing_ != standing::down && failures_ > 0; }
  [[nodiscard]] std::uint32_t failures() const noexcept { return failures_; }
  [[nodiscard]] std::uint32_t successes() const noexcept { return successes_; }
  /// While down: how many successes in a row bring it up again, all counted, and how many of them are still missing.
  [[nodiscard]] std::uint32_t rise(instant at) const noexcept;
  [[nodiscard]] std::uint32_t missing(instant at) const noexcept;
  /// Falls within the window.
  [[nodiscard]] std::uint32_t falls(instant at) const noexcept;
  [[nodiscard]] const std::deque<instant>& fall_times() const noexcept { return falls_; }
  [[nodiscard]] const health_settings& settings() const noexcept { return settings_; }

  /// Goes on from what was kept over a restart.
  void restore(standing what, instant since, std::deque<instant> falls);

 private:
  // More falls than this make no way up longer: rise_most is reached long before.
  static constexpr std::size_t most_falls = 16;

  health_settings settings_;
  standing standing_ = standing::unknown;
  std::optional<instant> since_;
  std::uint32_t failures_ = 0;   // in a row
  std::uint32_t successes_ = 0;  // in a row
  std::deque<instant> falls_;
};

}  // namespace nearside::score
