// SPDX-License-Identifier: BSD-2-Clause
// Public resolvers: they ask for clients of any ISP, so that no edge stands beside them. Constant.
#pragma once

#include <vector>

#include "agent/mapping/prefix.hpp"

namespace nearside::mapping {

/// Where well-known ones are asked and from where they ask, as their operators publish it; settings add others. None of
/// these ranges is an ISP's: networks in which anybody rents hosts are left out.
[[nodiscard]] const std::vector<prefix>& well_known_public_resolvers();

}  // namespace nearside::mapping
