// SPDX-License-Identifier: BSD-2-Clause
// Who of a family may be answered: state, operator, criteria, one rule after the other. Part of choose(); pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/score/candidate.hpp"
#include "agent/score/choose.hpp"

namespace nearside::score {

/// What removed a candidate.
enum class rule : std::uint8_t {
  none,  ///< it is eligible
  down,
  unknown,  ///< no result yet, and others are up
  forced,   ///< an operator forced it down
  drained,
  max_rtt,
  max_loss,
  minimum,   ///< eligible, but fewer than minimum_healthy are
  max_cost,  ///< cheaper ones are eligible
  site,      ///< one of a better site is eligible
  priority,  ///< one of a better priority is eligible
  weight,    ///< weight 0, and others have more
  policy,    ///< the policy preferred others
};
/// As in a trace: "max_rtt"; empty for none.
[[nodiscard]] std::string_view text_of(rule r) noexcept;
/// A sentence with the figures.
[[nodiscard]] std::string sentence_of(rule r, const candidate& about, const pool& of, const member& who);

struct screened {
  std::vector<rule> rules;            // by address
  std::vector<std::size_t> eligible;  // addresses, in the order of the pool
  bool by_unknown = false;            // nothing is up: those without a result yet stand in
};

[[nodiscard]] screened screen(const pool& of, const pool::family& family, std::span<const candidate> candidates,
                              family_memory& memory);

}  // namespace nearside::score
