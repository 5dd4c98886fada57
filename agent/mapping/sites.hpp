// SPDX-License-Identifier: BSD-2-Clause
// Sites: the lists of edges that rows are bound to, each with one number as long as a row has it. Pure; owned by the
// table, one thread.
#pragma once

#include <array>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace nearside::mapping {

/// The number of an edge at this backbone node; the registry gives it.
using edge_id = std::uint32_t;
/// The number of a site; 0 is the default, of clients that no row covers.
using site_id = std::uint32_t;
inline constexpr site_id default_site = 0;

/// An edge nearer than others in the same row comes first; at most so many count.
inline constexpr std::size_t most_edges_in_row = 3;

class sites {
 public:
  sites() : all_(1) {}

  /// The number of this list (1 to most_edges_in_row edges, each once), which one row more has.
  site_id hold(std::span<const edge_id> edges);
  /// One row less has it. A site without rows keeps its number until take_changes().
  void let_go(site_id number);

  [[nodiscard]] std::span<const edge_id> edges_of(site_id number) const noexcept;
  [[nodiscard]] std::vector<site_id> with(edge_id edge) const;
  [[nodiscard]] site_id end() const noexcept { return static_cast<site_id>(all_.size()); }

  /// Appends the numbers that came into use since the last call and still are, and those that were told then and no row
  /// has any longer: these rest until release().
  void take_changes(std::vector<site_id>& came, std::vector<site_id>& went);
  void release(std::span<const site_id> rested);

 private:
  enum class state : std::uint8_t { unused, untold, told, resting };
  using list = std::array<edge_id, most_edges_in_row>;
  static constexpr edge_id no_edge = std::numeric_limits<edge_id>::max();
  struct site {
    list edges{};
    std::uint32_t rows = 0;
    std::uint8_t count = 0;
    state is = state::unused;
    bool idle = false;  // in idle_
  };
  void forget(site_id number);

  std::vector<site> all_;  // by number
  boost::unordered_flat_map<list, site_id, boost::hash<list>> numbers_;
  std::vector<std::vector<site_id>> with_;  // by edge
  std::vector<site_id> unused_;
  std::vector<site_id> untold_;
  std::vector<site_id> idle_;
};

}  // namespace nearside::mapping
