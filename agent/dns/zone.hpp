// SPDX-License-Identifier: BSD-2-Clause
// The content of one zone, and the look-up of RFC 1034 4.3.2 in it (wildcards: RFC 4592). Built once from the
// configuration, then immutable; shared by the responder and the publisher.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dns/name.hpp"

namespace nearside::dns {

/// RDATA in wire format, its names uncompressed.
using rdata = std::vector<std::uint8_t>;

/// An RRset whose answer is in its records alone.
inline constexpr std::uint32_t no_pool = UINT32_MAX;

/// A name that is in its zone as it is written there.
inline constexpr std::uint32_t no_mapped = UINT32_MAX;

/// Records of one owner and type (RFC 2181 5). `balanced`: the answer has as many alternatives as records, each
/// beginning with another one (rotation). `pool`: the records are what there is to choose from, and dns::choices
/// decides which of them are answered, in which order, and for how long.
struct rrset {
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;  // seconds; in a pool the choice's counts
  bool balanced = false;
  std::vector<rdata> rdatas;
  std::uint32_t pool = no_pool;  // index into dns::choices

  friend bool operator==(const rrset&, const rrset&) = default;
  /// Without a pool: how many prepared answers there are to choose from: 1, or rdatas.size() where balanced; at most
  /// 255.
  [[nodiscard]] std::size_t alternatives() const noexcept;
};

/// All RRsets of one owner; none at an empty non-terminal.
struct node {
  std::vector<rrset> rrsets;
  // Number of a mapped name: a dns::mapping says what it is to whom asks, a zone cut or the owner of its A and AAAA.
  std::uint32_t mapped = no_mapped;

  /// Nothing is there: an empty non-terminal.
  [[nodiscard]] bool is_empty() const noexcept { return rrsets.empty() && mapped == no_mapped; }
  [[nodiscard]] const rrset* find(std::uint16_t type) const noexcept;
};

class zone {
 public:
  explicit zone(name apex);

  /// Adds one record. A duplicate is ignored (RFC 2181 5). Errors, each naming owner and type: owner out of zone; RRs
  /// of one RRset with different TTLs; CNAME beside other data or two CNAMEs (RFC 2181 10.1); a second SOA, or an SOA
  /// below the apex; RDATA that does not have its type's shape; NS at a wildcard (RFC 4592 4.2); an RRset that no
  /// message can carry; DNSSEC records and DNAME, which are not served.
  result<void> add(const name& owner, std::uint16_t type, std::uint32_t ttl, rdata data);
  /// Puts the A and AAAA RRsets of a name into a pool of servers, if they are there.
  void balance(const name& owner, std::uint32_t pool);
  /// Makes the name a mapped one, with A and AAAA at most; there it need not be yet. Errors: it is the apex, a wildcard
  /// or out of the zone, has other records, or lies at or below a zone cut or another mapped name.
  result<void> map(const name& owner, std::uint32_t number);
  /// The servers of the apex are what the parent says (mapping::servers_at); the zone's own until it has said so.
  void follow_parent() noexcept { follows_parent_ = true; }
  [[nodiscard]] bool follows_parent() const noexcept { return follows_parent_; }
  /// Marks every A and AAAA RRset of several addresses as balanced.
  void balance_several() noexcept;
  /// What a whole zone needs: one SOA, at least one NS at the apex, addresses for the NS names at the apex that are
  /// inside the zone, glue for the NS names at or below a zone cut, DS only at a cut, nothing below a mapped name. The
  /// error names the first fault.
  [[nodiscard]] result<void> check() const;

  [[nodiscard]] const name& apex() const noexcept { return apex_; }
  /// The SOA RRset of a zone that passed check(); else throws failure.
  [[nodiscard]] const rrset& soa() const;
  /// TTL of a negative answer: the lesser of the SOA's TTL and its MINIMUM (RFC 2308 5).
  [[nodiscard]] std::uint32_t negative_ttl() const;
  /// The node itself, empty non-terminals included; nullptr: no such name (wildcards are not looked at).
  [[nodiscard]] const node* find(const name& owner) const noexcept { return find(owner.wire()); }
  [[nodiscard]] const node* find(std::span<const std::uint8_t> owner) const noexcept;
  /// The owner name of a node as it was first written, which lives as long as the zone; nullptr: no such name.
  [[nodiscard]] const name* stored_name(std::span<const std::uint8_t> owner) const noexcept;
  /// The highest zone cut at or above `owner` and below the apex; nullptr: none.
  [[nodiscard]] const name* cut_above(const name& owner) const noexcept;
  /// The mapped name at or above `owner`; nullptr: none.
  [[nodiscard]] const name* mapped_above(const name& owner) const noexcept;
  /// Calls for every node, empty non-terminals included, in no order.
  void for_each(const std::function<void(const name&, const node&)>& visit) const;
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }

 private:
  node& node_at(const name& owner);
  template <typename Test>
  const name* highest(const name& owner, Test test) const noexcept;

  name apex_;
  std::unordered_map<name, node, name_hash, name_equal> nodes_;
  std::size_t cuts_ = 0;    // nodes with NS below the apex; cut_above() of a zone without any is free
  std::size_t mapped_ = 0;  // the same for mapped_above()
  bool follows_parent_ = false;
};

/// The zones of a node, with the enclosing-zone search. Immutable once published: held by shared_ptr<const zone_set>.
class zone_set {
 public:
  /// Error: a zone with this apex is there already.
  result<void> add(zone z);
  /// The zone with the longest apex at or above `owner`; nullptr: none is.
  [[nodiscard]] const zone* enclosing(const name& owner) const noexcept;
  [[nodiscard]] std::span<const zone> zones() const noexcept { return zones_; }

 private:
  std::vector<zone> zones_;
  std::unordered_map<name, std::size_t, name_hash, name_equal> by_apex_;
  std::size_t most_labels_ = 0;  // of any apex: longer suffixes of a QNAME need no look-up
};

}  // namespace nearside::dns
