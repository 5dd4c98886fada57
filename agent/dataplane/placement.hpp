// SPDX-License-Identifier: BSD-2-Clause
// The plan of a publish(): which names there is room for, and which answer set each group gets, so that as few words
// and names as possible change. Decided before anything is written. For the publisher, on its thread.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/answer_sets.hpp"
#include "agent/dataplane/grouping.hpp"
#include "agent/dataplane/name_table.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish_stats.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

/// What the plan says of one group.
struct assignment {
  std::uint32_t set = no_set;
  bool in_place = false;               // the set has names already
  std::vector<column_change> changes;  // what is published for such a set differs in these columns
  pool_of_set pool;                    // its pool, if it has one
};

/// The names of the zones for the kernel, without those whose hash another one has: these are left to userland. While
/// `none_installed`, the hash key is drawn anew instead. Error: there is no randomness to be had.
result<grouping> names_without_collisions(const dns::zone_set& zones, std::span<const site_rule> rules,
                                          const object& tables, bool none_installed, publish_stats& stats);

/// Decides which names there is room for, those that are installed first, and tells `names` which group they are in
/// now. Returns which groups have any.
std::vector<bool> admit(grouping& plan, name_table& names, const object& tables, publish_stats& stats);

/// A set for each group that has names, as far as there are any. An element for each group.
std::vector<assignment> bind_groups(const grouping& plan, const std::vector<bool>& needed, const name_table& names,
                                    answer_sets& sets);

}  // namespace nearside::dataplane
