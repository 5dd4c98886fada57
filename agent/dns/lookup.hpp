// SPDX-License-Identifier: BSD-2-Clause
// The algorithm of RFC 1034 4.3.2: what the zones say to a question, as RRsets in sections. No octets of messages here.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

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
  std::size_t first = 0;  // which of its records comes first
};

/// Points into the zones, the QNAME given to lookup(), and `aliases`: neither may go before it.
struct sections {
  rcode code = rcode::noerror;
  bool authoritative = false;
  std::vector<placed_rrset> answer;
  std::vector<placed_rrset> authority;
  std::vector<placed_rrset> additional;
  std::list<name> aliases;  // targets of the CNAMEs followed
};

/// Answers (qname, qtype) in class IN. Out of all zones it is REFUSED. `pick` chooses among the alternatives of
/// balanced RRsets in the answer section. A CNAME is followed within its zone, eight times at most (RFC 1034 3.6.2).
[[nodiscard]] sections lookup(const zone_set& zones, const name& qname, std::uint16_t qtype, std::uint32_t pick);

}  // namespace nearside::dns
