// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/durations.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace nearside::config {
namespace {

using std::chrono::microseconds;

struct unit {
  std::string_view word;
  std::int64_t length;  // in microseconds
};

// The longest first: duration_text() takes the first that divides.
constexpr std::array<unit, 7> units{{
    {"w", 7LL * 24 * 3600 * 1'000'000},
    {"d", 24LL * 3600 * 1'000'000},
    {"h", 3600LL * 1'000'000},
    {"m", 60LL * 1'000'000},
    {"s", 1'000'000},
    {"ms", 1'000},
    {"us", 1},
}};
constexpr std::int64_t longest = 10'000 * units.front().length;

}  // namespace

std::optional<microseconds> parse_duration(std::string_view text) {
  std::uint64_t count = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{}) return std::nullopt;
  const std::string_view word = text.substr(static_cast<std::size_t>(rest - text.data()));
  for (const unit& u : units) {
    if (word != u.word) continue;
    if (count > static_cast<std::uint64_t>(longest / u.length)) return std::nullopt;
    return microseconds(static_cast<std::int64_t>(count) * u.length);
  }
  return std::nullopt;
}

std::string duration_text(microseconds duration) {
  if (duration.count() == 0) return "0s";
  for (const unit& u : units) {
    if (duration.count() % u.length == 0) return std::to_string(duration.count() / u.length) + std::string(u.word);
  }
  return std::to_string(duration.count()) + "us";
}

}  // namespace nearside::config
