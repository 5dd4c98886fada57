// SPDX-License-Identifier: BSD-2-Clause
// The mapping table: which edges stand beside the resolvers of a prefix, nearest first. Rows come from what edges have
// registered and from the operator's table; each row is bound to a site, the interned list of its edges, which is what
// the kernel's tables hold. Pure; owned by the registry, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/mapping/prefix.hpp"

namespace nearside::mapping {

/// Wall-clock time: it is compared between nodes and over restarts.
using instant = std::chrono::system_clock::time_point;

/// The number of an edge at this backbone node; the registry gives it.
using edge_id = std::uint32_t;
/// The number of a site; 0 is the default, of clients that no row covers.
using site_id = std::uint32_t;
inline constexpr site_id default_site = 0;

/// An edge nearer than others in the same row comes first; at most so many count.
inline constexpr std::size_t most_edges_in_row = 3;

/// Where a claim comes from; the lower number comes first in a row.
enum class source : std::uint8_t {
  proved,  ///< a nonce of the edge was seen from there
  table,   ///< the operator's prefix table
};

/// One edge's claim on a prefix.
struct claim {
  edge_id edge = 0;
  source from = source::proved;
  std::optional<std::chrono::microseconds> rtt;  // from the edge to the resolver
  instant proved;                                // when the egress was last seen
  std::uint32_t rank = 0;                        // among claims of the operator's table: the lower comes first

  friend bool operator==(const claim&, const claim&) = default;
};

/// A row as it is: claims in their order (source, then RTT with none last, then rank, then the edge's name).
struct row {
  prefix who;
  std::vector<claim> claims;  // never empty
  site_id site = default_site;
};

/// A row whose site is another one than before; `site` nothing: the row is gone.
struct row_change {
  prefix who;
  std::optional<site_id> site;
};

class table {
 public:
  /// How an edge is called: for the tie-break, so that every backbone node has the same order.
  using name_of = std::function<const std::string&(edge_id)>;
  explicit table(name_of names);

  /// Adds the edge's claim on a prefix, or takes the place of the one that it had there from the same source.
  void put(const prefix& who, const claim& c);
  void erase(const prefix& who, edge_id edge, source from);

  /// The longest row that covers the address; nullptr: none does.
  [[nodiscard]] const row* find(const boost::asio::ip::address& address) const;
  /// The longest row that covers the whole prefix: of an ECS option.
  [[nodiscard]] const row* find(const prefix& client) const;
  /// The row of just this prefix.
  [[nodiscard]] const row* at(const prefix& who) const;
  void for_each(const std::function<void(const row&)>& visit) const;
  [[nodiscard]] std::size_t size() const noexcept;

  /// The edges of a site, nearest first; empty for the default and for a number that is not in use.
  [[nodiscard]] std::span<const edge_id> edges_of(site_id site) const noexcept;
  /// The sites that have this edge.
  [[nodiscard]] std::vector<site_id> sites_with(edge_id edge) const;
  /// One more than the highest number in use.
  [[nodiscard]] site_id sites_end() const noexcept;

  /// What has changed since the last call, each row once. The kernel is to be told in this order: new_sites, rows, and
  /// only a while later is a number of `free_sites` used again (release()).
  struct changes {
    std::vector<site_id> new_sites;
    std::vector<row_change> rows;
    std::vector<site_id> free_sites;
  };
  [[nodiscard]] changes take_changes();
  /// These numbers, which take_changes() told as free, may be given to other sites.
  void release(std::span<const site_id> sites);

 private:
  struct site {
    std::vector<edge_id> edges;
    std::size_t rows = 0;
  };
  name_of names_;
  std::unordered_map<prefix, row, prefix_hash> rows_;
};

}  // namespace nearside::mapping
