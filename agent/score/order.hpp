// SPDX-License-Identifier: BSD-2-Clause
// The policies: from the eligible addresses to prepared answers. Part of choose(); pure.
#pragma once

#include <span>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/score/choose.hpp"

namespace nearside::score {

/// What a policy needs to know.
struct ordering {
  const pool& of;
  const pool::family& family;
  std::span<const candidate> candidates;  // all of the family
  std::span<const std::size_t> eligible;  // not empty
  const latency_settings& by;
  instant now;
};

/// ms that a client would wait for the address, its cost included; where nothing was measured yet, more than anything.
[[nodiscard]] double expected_of(const ordering& given, std::size_t address);
[[nodiscard]] std::vector<contender> contenders_of(const ordering& given);

/// The prepared answers by the pool's policy.
[[nodiscard]] std::vector<dns::alternative> order(const ordering& given, family_memory& memory);

}  // namespace nearside::score
