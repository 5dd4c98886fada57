// SPDX-License-Identifier: BSD-2-Clause
// What one check of one server found. Made by the probes, or read from a recording; plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nearside::score {

/// The agent's clock; a replay counts its `t` from the epoch of it.
using instant = std::chrono::steady_clock::time_point;
using duration = std::chrono::nanoseconds;

[[nodiscard]] constexpr double milliseconds_of(duration d) noexcept { return static_cast<double>(d.count()) / 1e6; }
[[nodiscard]] constexpr double seconds_of(duration d) noexcept { return static_cast<double>(d.count()) / 1e9; }

enum class outcome : std::uint8_t {
  ok,
  lost,    ///< no answer in time: a packet may have been lost, or all of them
  failed,  ///< an answer that a client would suffer as well: refused, HTTP 503, an expired certificate
};

struct sample {
  instant at;  // when the outcome was known
  outcome what = outcome::ok;
  std::string reason;                   // empty when ok; else precise: "timeout", "refused", "http 503"
  std::optional<duration> connect;      // until the connection stood; for icmp, dns and exec none
  std::optional<duration> first_byte;   // of the answer, counted from the start: what a client would wait for. Always
                                        // there when ok
  std::optional<int> certificate_days;  // until the certificate expires; negative: it has
};

/// What a failure with this reason is: a time-out and an unreachable network lose the probe, all else is an answer that
/// a client would suffer as well.
[[nodiscard]] inline outcome outcome_of_failure(std::string_view reason) noexcept {
  return reason.starts_with("timeout") || reason.starts_with("unreachable") || reason.starts_with("lost")
             ? outcome::lost
             : outcome::failed;
}

}  // namespace nearside::score
