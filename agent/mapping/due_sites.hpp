// SPDX-License-Identifier: BSD-2-Clause
// Sites that wait for their turn: each once, first come, first served. Owned by who serves them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "agent/mapping/table.hpp"

namespace nearside::mapping {

class due_sites {
 public:
  /// Those that wait already keep their places.
  void add(std::span<const site_id> sites) {
    for (const site_id site : sites) {
      if (site >= waits_.size()) waits_.resize(std::size_t{site} + 1);
      if (waits_[site]) continue;
      waits_[site] = true;
      order_.push_back(site);
    }
  }
  /// The first ones, which wait no longer.
  [[nodiscard]] std::vector<site_id> take(std::size_t most) {
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(std::min(most, order_.size()));
    std::vector<site_id> taken(order_.begin(), end);
    order_.erase(order_.begin(), end);
    for (const site_id site : taken) waits_[site] = false;
    return taken;
  }
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  [[nodiscard]] bool empty() const noexcept { return order_.empty(); }

 private:
  std::deque<site_id> order_;
  std::vector<bool> waits_;
};

}  // namespace nearside::mapping
