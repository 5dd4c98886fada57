// SPDX-License-Identifier: BSD-2-Clause
// The policies and rules of a balanced name as they are written, by their number in agent/score/settings.hpp.
#pragma once

#include <array>
#include <string_view>

namespace nearside::config {

inline constexpr std::array<std::string_view, 6> policy_words{"all",      "latency", "failover",
                                                              "weighted", "spread",  "hash"};
inline constexpr std::array<std::string_view, 3> all_down_words{"answer-all", "servfail", "fallback"};
inline constexpr std::array<std::string_view, 3> unknown_words{"last", "up", "down"};

}  // namespace nearside::config
