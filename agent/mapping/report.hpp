// SPDX-License-Identifier: BSD-2-Clause
// What an edge has measured and what it would answer, as it tells its backbone nodes: the body of a report, made at the
// edge, parsed at the backbone. docs/registration-api.yaml is the definition. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hpp"

namespace nearside::mapping {

inline constexpr std::size_t most_report_servers = 4096;
inline constexpr std::size_t most_report_names = 1000;
inline constexpr std::size_t most_rank = 64;
inline constexpr std::uint32_t whole_share = 1000;
inline constexpr double most_rtt_ms = 60'000;
inline constexpr double most_age_s = 1e9;
inline constexpr std::uint32_t most_ttl = 172'800;

/// One address of a server as it is measured there.
struct reported_figure {
  std::uint32_t server = 0;  // index into report::servers
  std::uint8_t family = 4;   // 4 or 6
  std::string state;         // "up", "down", "unknown"
  std::optional<double> rtt_ms;
  double loss = 0;   // 0 to 1
  double age_s = 0;  // of the newest sample, when the report was made

  friend bool operator==(const reported_figure&, const reported_figure&) = default;
};

/// What these names answer in one family.
struct reported_answer {
  std::vector<std::string> names;  // lower case, final dot
  std::uint8_t family = 4;
  std::uint32_t ttl = 0;
  std::vector<std::uint32_t> rank;  // indices into report::servers, the best first; empty: NODATA
  /// How often each of the rank stands first, in thousandths; empty: the first always does.
  std::vector<std::uint32_t> shares = {};

  friend bool operator==(const reported_answer&, const reported_answer&) = default;
};

struct report {
  std::vector<std::string> servers;
  std::vector<reported_figure> figures;
  std::vector<reported_answer> answers;

  friend bool operator==(const report&, const report&) = default;
};

/// The message with its envelope: {"edge": ..., "sequence": ..., ...}, without a space: RTT in hundredths of a
/// millisecond, loss in thousandths, age in tenths of a second. Bounds are the writer's duty.
[[nodiscard]] std::string to_json(const report& r, std::string_view edge, std::uint64_t sequence);

}  // namespace nearside::mapping
