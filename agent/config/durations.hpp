// SPDX-License-Identifier: BSD-2-Clause
// Durations as operators write them, with their unit: "300us", "250ms", "10s", "5m", "1h", "2d", "1w".
// Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nearside::config {

/// One whole number and one unit (us, ms, s, m, h, d, w), nothing between or around them. Nothing: it is not of that
/// form, or longer than ten thousand weeks.
[[nodiscard]] std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

/// The shortest exact way to write it: "90s", "1h", "250ms", "300us".
[[nodiscard]] std::string duration_text(std::chrono::microseconds duration);

}  // namespace nearside::config
