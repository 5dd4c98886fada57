// SPDX-License-Identifier: BSD-2-Clause
// The mapping table: which edges stand beside the resolvers of a prefix, nearest first. Rows come from what edges have
// registered and from the operator's table; each row is bound to a site, the interned list of its edges, which is what
// the kernel's tables hold. Pure; owned by the registry, one thread.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/mapping/prefix.hpp"
#include "agent/mapping/sites.hpp"

namespace nearside::mapping {

/// Wall-clock time: it is compared between nodes and over restarts.
using instant = std::chrono::system_clock::time_point;

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

  /// Adds the edge's claim on a prefix, or takes the place of the one that it had there from the same source. False: an
  /// IPv6 prefix longer than most_ipv6 is no row's key.
  bool put(const prefix& who, const claim& c);
  void erase(const prefix& who, edge_id edge, source from);

  /// The longest row that covers the address; nullptr: none does. Rows are good until the next change.
  [[nodiscard]] const row* find(const boost::asio::ip::address& asked) const;
  /// The longest row that covers the whole prefix: of an ECS option.
  [[nodiscard]] const row* find(const prefix& client) const;
  /// The row of just this prefix.
  [[nodiscard]] const row* at(const prefix& who) const;
  void for_each(const std::function<void(const row&)>& visit) const;
  [[nodiscard]] std::size_t size() const noexcept;

  /// The edges of a site, nearest first; empty for the default and for a number that is not in use.
  [[nodiscard]] std::span<const edge_id> edges_of(site_id site) const noexcept { return sites_.edges_of(site); }
  /// The sites that have this edge.
  [[nodiscard]] std::vector<site_id> sites_with(edge_id edge) const { return sites_.with(edge); }
  /// One more than the highest number that is or was in use.
  [[nodiscard]] site_id sites_end() const noexcept { return sites_.end(); }

  /// What has changed since the last call, each row once and only where it has another site than was told last. The
  /// kernel is to be told in this order: new_sites, rows, and only a while later is a number of `free_sites` used again
  /// (release()).
  struct changes {
    std::vector<site_id> new_sites;
    std::vector<row_change> rows;
    std::vector<site_id> free_sites;
  };
  [[nodiscard]] changes take_changes();
  /// These numbers, which take_changes() told as free, may be given to other sites.
  void release(std::span<const site_id> sites) { sites_.release(sites); }

 private:
  static constexpr site_id not_told = std::numeric_limits<site_id>::max();
  static constexpr std::size_t most_bits = 64;

  struct slot {
    row content;  // without claims where the slot is free
    site_id told = not_told;
    bool changed = false;
  };
  /// The rows of one family: by length, by the first bits of the address, at the high end of 64.
  struct family {
    std::array<boost::unordered_flat_map<std::uint64_t, std::uint32_t>, most_bits + 1> by_length;
    std::vector<std::uint8_t> lengths;  // those in use, the longest first
  };

  [[nodiscard]] const family& family_of(const prefix& p) const { return families_[p.address.is_v4() ? 0 : 1]; }
  [[nodiscard]] family& family_of(const prefix& p) { return families_[p.address.is_v4() ? 0 : 1]; }
  [[nodiscard]] const row* find(const family& in, std::uint64_t bits, std::uint8_t longest) const;
  [[nodiscard]] std::optional<std::uint32_t> number_at(const prefix& who) const;
  std::uint32_t number_for(const prefix& who);
  void remove(std::uint32_t number);
  /// Claim `a` comes before `b`.
  [[nodiscard]] bool before(const claim& a, const claim& b) const;
  void bind(std::uint32_t number);
  void note(std::uint32_t number);

  name_of names_;
  sites sites_;
  std::array<family, 2> families_;
  std::deque<slot> slots_;  // a row stays where it is
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> changed_;
  std::unordered_map<prefix, site_id, prefix_hash> gone_;  // rows that were told and are no more: their site
};

}  // namespace nearside::mapping
