// SPDX-License-Identifier: BSD-2-Clause
// The algorithm of RFC 1034 4.3.2: what the zones say to a question, as RRsets in sections. No octets of messages here.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/dns/mapping.hpp"
#include "agent/dns/rr_type.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dns {

/// One RRset as it goes into a section.
struct placed_rrset {
  const name* owner = nullptr;
  const rrset* set = nullptr;
  std::uint32_t ttl = 0;
  std::size_t first = 0;                // which of its records comes first
  std::span<const std::uint8_t> order;  // of a pool: which of its records, in this order; empty: all, from `first` on
  bool whole_owner = false;  // written in full, so that what follows the question does not depend on the QNAME
};

/// Points into the zones, the choices, the mapping, the QNAME given to lookup(), `aliases` and `held`: none may go
/// before it.
struct sections {
  rcode code = rcode::noerror;
  bool authoritative = false;
  bool by_client = false;             // another client may get another answer
  std::optional<std::uint8_t> scope;  // SCOPE PREFIX-LENGTH, where it is not that of choices by client
  std::vector<placed_rrset> answer;
  std::vector<placed_rrset> authority;
  std::vector<placed_rrset> additional;
  std::list<name> aliases;                        // targets of the CNAMEs followed
  std::vector<std::shared_ptr<const void>> held;  // what was made for this answer
};

/// Who asks, and what decides beside the zones and the choices.
struct lookup_context {
  draw_numbers by = {};
  origin asked = {};
  const mapping* map = nullptr;  // nullptr: mapped names are answered from their pools
};

/// Answers (qname, qtype) in class IN. Out of all zones it is REFUSED. A CNAME is followed within its zone, eight times
/// at most (RFC 1034 3.6.2). An RRset of a pool is answered as `chosen` says; where that has nothing for it, or nothing
/// that fits it, with SERVFAIL. Mapped names and what is registered: as `context.map` says.
[[nodiscard]] sections lookup(const zone_set& zones, const choices& chosen, const name& qname, std::uint16_t qtype,
                              const lookup_context& context);

/// The pool whose servers the name is balanced over, by a wildcard too; no_pool: there is no such name, or it has none.
[[nodiscard]] std::uint32_t pool_of(const zone_set& zones, const name& owner);

}  // namespace nearside::dns
