// SPDX-License-Identifier: BSD-2-Clause
// One address of a pool as it stands when a decision is made: what was measured, and what an operator said. Plain data,
// made by the scoreboard for each decision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/score/health.hpp"

namespace nearside::score {

/// What an operator said of a server, over all that was measured.
enum class administrative : std::uint8_t { none, up, down, drain };
[[nodiscard]] constexpr std::string_view text_of(administrative state) noexcept {
  switch (state) {
    case administrative::up: return "up";
    case administrative::down: return "down";
    case administrative::drain: return "drain";
    case administrative::none: break;
  }
  return "none";
}

[[nodiscard]] constexpr std::string_view text_of(standing what) noexcept {
  switch (what) {
    case standing::up: return "up";
    case standing::down: return "down";
    case standing::unknown: break;
  }
  return "unknown";
}

struct candidate {
  std::size_t address = 0;  // index into pool::family::addresses
  // Over all targets of the address: down if one of them is, else unknown if one is, else up. Without targets: up.
  standing measured = standing::up;
  bool checked = false;       // it has targets
  bool failing = false;       // up or unknown, and failures have begun
  std::uint32_t missing = 0;  // down: successes in a row that are still needed, where some have come; else 0
  duration interval{};        // of its checks
  bool remembered = false;    // no result since the start: what an earlier agent knew

  administrative forced = administrative::none;
  std::optional<duration> forced_left;  // until that ends; none: it does not

  // From the first target. Milliseconds where the unit is not in the type.
  std::optional<double> expected;  // smoothed first-byte time with its penalty
  std::optional<double> smoothed;
  double penalty = 0;
  std::optional<duration> rtt;  // SRTT
  duration rtt_variation{};
  double loss = 0;              // 0 to 1
  std::optional<duration> age;  // of the newest sample
};

}  // namespace nearside::score
