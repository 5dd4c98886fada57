// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/sites.hpp"

#include <algorithm>

namespace nearside::mapping {

site_id sites::hold(std::span<const edge_id> edges) {
  list key;
  key.fill(no_edge);
  std::copy(edges.begin(), edges.end(), key.begin());
  if (const auto found = numbers_.find(key); found != numbers_.end()) {
    ++all_[found->second].rows;
    return found->second;
  }
  site_id number = end();
  if (unused_.empty()) {
    all_.emplace_back();
  } else {
    number = unused_.back();
    unused_.pop_back();
  }
  site& added = all_[number];
  added.edges = key;
  added.rows = 1;
  added.count = static_cast<std::uint8_t>(edges.size());
  added.is = state::untold;
  added.idle = false;
  numbers_.emplace(key, number);
  for (const edge_id edge : edges) {
    if (edge >= with_.size()) with_.resize(std::size_t{edge} + 1);
    with_[edge].push_back(number);
  }
  untold_.push_back(number);
  return number;
}

void sites::let_go(site_id number) {
  site& left = all_[number];
  if (--left.rows > 0 || left.idle) return;
  left.idle = true;
  idle_.push_back(number);
}

std::span<const edge_id> sites::edges_of(site_id number) const noexcept {
  if (number >= all_.size()) return {};
  const site& of = all_[number];
  if (of.is != state::untold && of.is != state::told) return {};
  return {of.edges.data(), of.count};
}

std::vector<site_id> sites::with(edge_id edge) const {
  return edge < with_.size() ? with_[edge] : std::vector<site_id>{};
}

void sites::forget(site_id number) {
  const site& of = all_[number];
  numbers_.erase(of.edges);
  for (std::size_t i = 0; i < of.count; ++i) {
    auto& those = with_[of.edges[i]];
    const auto found = std::find(those.begin(), those.end(), number);
    *found = those.back();
    those.pop_back();
    if (those.empty()) those.shrink_to_fit();
  }
}

void sites::take_changes(std::vector<site_id>& came, std::vector<site_id>& went) {
  for (const site_id number : untold_) {
    site& of = all_[number];
    if (of.rows > 0) {
      of.is = state::told;
      came.push_back(number);
    } else {
      // Nobody has heard of it: the number needs no rest.
      forget(number);
      of.is = state::unused;
      unused_.push_back(number);
    }
  }
  untold_.clear();
  for (const site_id number : idle_) {
    site& of = all_[number];
    of.idle = false;
    if (of.rows > 0 || of.is != state::told) continue;
    forget(number);
    of.is = state::resting;
    went.push_back(number);
  }
  idle_.clear();
}

void sites::release(std::span<const site_id> rested) {
  for (const site_id number : rested) {
    if (number >= all_.size() || all_[number].is != state::resting) continue;
    all_[number].is = state::unused;
    unused_.push_back(number);
  }
}

}  // namespace nearside::mapping
