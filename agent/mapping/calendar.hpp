// SPDX-License-Identifier: BSD-2-Clause
// When something is due for each edge: the end of its lease or of a row's age while the lease runs; after it, the
// moment when the edge is forgotten. Pure; owned by the registry, one thread.
#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "agent/mapping/table.hpp"

namespace nearside::mapping {

class calendar {
 public:
  enum class kind : std::uint8_t { none, upkeep, forget };

  /// The edge's only entry from now on.
  void set(edge_id edge, kind what, instant when);
  void clear(edge_id edge) { set(edge, kind::none, {}); }

  /// The first of a kind.
  [[nodiscard]] std::optional<edge_id> first(kind what) const;
  /// The first of a kind that is due.
  [[nodiscard]] std::optional<edge_id> due(kind what, instant now) const;
  [[nodiscard]] std::optional<instant> next() const;

 private:
  using queue = std::set<std::pair<instant, edge_id>>;
  struct entry {
    instant when;
    kind what = kind::none;
  };
  [[nodiscard]] const queue& of(kind what) const { return what == kind::upkeep ? upkeep_ : forget_; }

  std::vector<entry> entries_;  // by edge
  queue upkeep_;
  queue forget_;
};

}  // namespace nearside::mapping
