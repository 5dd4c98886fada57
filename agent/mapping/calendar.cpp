// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/calendar.hpp"

#include <algorithm>

namespace nearside::mapping {

void calendar::set(edge_id edge, kind what, instant when) {
  if (edge >= entries_.size()) entries_.resize(std::size_t{edge} + 1);
  entry& at = entries_[edge];
  if (at.what == what && at.when == when) return;
  if (at.what != kind::none) (at.what == kind::upkeep ? upkeep_ : forget_).erase({at.when, edge});
  at = {when, what};
  if (what != kind::none) (what == kind::upkeep ? upkeep_ : forget_).emplace(when, edge);
}

std::optional<edge_id> calendar::first(kind what) const {
  const queue& those = of(what);
  return those.empty() ? std::nullopt : std::optional(those.begin()->second);
}

std::optional<edge_id> calendar::due(kind what, instant now) const {
  const queue& those = of(what);
  return those.empty() || those.begin()->first > now ? std::nullopt : std::optional(those.begin()->second);
}

std::optional<instant> calendar::next() const {
  if (upkeep_.empty()) return forget_.empty() ? std::nullopt : std::optional(forget_.begin()->first);
  if (forget_.empty()) return upkeep_.begin()->first;
  return std::min(upkeep_.begin()->first, forget_.begin()->first);
}

}  // namespace nearside::mapping
