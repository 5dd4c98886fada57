// SPDX-License-Identifier: BSD-2-Clause
// The algorithm of RFC 1034 4.3.2: what the zones say to a question, as RRsets in sections. No octets of messages here.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dns {

/// RCODEs that an answer can have (RFC 1035 4.1.1).
enum class rcode : std::uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  badvers = 16
};

/// One RRset as it goes into a section.
struct placed_rrset {
  const name* owner = nullptr;
  const rrset* set = nullptr;
  std::uint32_t ttl = 0;
  std::size_t first = 0;                // which of its records comes first
  std::span<const std::uint8_t> order;  // of a pool: which of its records, in this order; empty: all, from `first` on
};

/// Points into the zones, the choices, the QNAME given to lookup(), and `aliases`: none may go before it.
struct sections {
  rcode code = rcode::noerror;
  bool authoritative = false;
  bool by_client = false;  // another client may get another answer
  std::vector<placed_rrset> answer;
  std::vector<placed_rrset> authority;
  std::vector<placed_rrset> additional;
  std::list<name> aliases;  // targets of the CNAMEs followed
};

/// What decides among the alternatives of the RRsets in the answer section.
struct draw_numbers {
  std::uint32_t random = 0;
  std::uint32_t client = 0;                // client::number, for choices by client
  std::optional<std::size_t> alternative;  // just this one, of n the one numbered alternative % n; no number counts
};

/// Answers (qname, qtype) in class IN. Out of all zones it is REFUSED. A CNAME is followed within its zone, eight times
/// at most (RFC 1034 3.6.2). An RRset of a pool is answered as `chosen` says; where that has nothing for it, or nothing
/// that fits it, with SERVFAIL.
[[nodiscard]] sections lookup(const zone_set& zones, const choices& chosen, const name& qname, std::uint16_t qtype,
                              const draw_numbers& by);

/// The pool whose servers the name is balanced over, by a wildcard too; no_pool: there is no such name, or it has none.
[[nodiscard]] std::uint32_t pool_of(const zone_set& zones, const name& owner);

}  // namespace nearside::dns
