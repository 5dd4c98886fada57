// SPDX-License-Identifier: BSD-2-Clause
// How long an answer may be kept: ttl while nothing is pending, else no longer than until the next change that is in
// sight, and never less than ttl_min. Part of choose(); pure.
#pragma once

#include <chrono>
#include <string>

#include "agent/score/order.hpp"
#include "agent/score/screen.hpp"

namespace nearside::score {

struct ttl_decision {
  std::chrono::seconds ttl{};
  std::string reason;  // filled where asked for
};

/// `answered`: by address, whether it is in any of the prepared answers.
[[nodiscard]] ttl_decision decide_ttl(const ordering& given, const screened& who, const std::vector<bool>& answered,
                                      const family_memory& memory, bool with_reason);

}  // namespace nearside::score
