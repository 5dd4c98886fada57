// SPDX-License-Identifier: BSD-2-Clause
// Figures as they are told in JSON: rounded to what was measured, null where there is none.
#pragma once

#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "agent/score/sample.hpp"

namespace nearside::score {

/// Three digits behind the point say all that was measured.
[[nodiscard]] inline boost::json::value rounded(double value) { return std::round(value * 1000) / 1000; }
[[nodiscard]] inline boost::json::value rounded(const std::optional<double>& value) {
  return value ? rounded(*value) : boost::json::value(nullptr);
}
[[nodiscard]] inline boost::json::value milliseconds(const std::optional<duration>& value) {
  return value ? rounded(milliseconds_of(*value)) : boost::json::value(nullptr);
}
[[nodiscard]] inline boost::json::value seconds(const std::optional<duration>& value) {
  return value ? rounded(seconds_of(*value)) : boost::json::value(nullptr);
}

}  // namespace nearside::score
