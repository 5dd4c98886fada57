// SPDX-License-Identifier: BSD-2-Clause
// The seam between the zones and what is registered: a mapped name is answered by who asks, with a referral to edges or
// in their stead. Implemented by the backbone (and, for the NS of its cuts, by an edge); called by lookup(). No I/O.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/dns/query.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dns {

/// Who asks, and where.
struct origin {
  boost::asio::ip::address source;
  boost::asio::ip::address destination;  // which of our addresses was asked
  std::optional<client_subnet> subnet;
};

/// The NS of a cut, and the addresses of those names.
struct referral {
  rrset servers;  // type NS
  struct glue {
    name owner;
    rrset addresses;  // type A or AAAA
  };
  std::vector<glue> addresses;
};

/// The answer in the edges' stead: what the pool of the name answers this client.
struct direct_answer {
  pool_choice choice;
  std::uint8_t scope = 0;  // SCOPE PREFIX-LENGTH
  /// Set where we are asked as a name server of the cut itself: its NS as the parent gives them to this client.
  std::shared_ptr<const referral> as_child;
};

class mapping {
 public:
  virtual ~mapping() = default;

  /// What this client gets for the mapped name with this number (rrset::mapped, dns/zone.hpp).
  [[nodiscard]] virtual std::variant<std::shared_ptr<const referral>, direct_answer> decide(
      std::uint32_t mapped, const origin& asked) const = 0;
  /// The addresses of a name that is registered as an edge's; nullptr: it is none.
  [[nodiscard]] virtual const node* find(const name& owner) const = 0;
  /// The NS RRset at the apex of a zone that is a cut of the backbone's, as this client got it there; nullptr: the
  /// zone's own is right.
  [[nodiscard]] virtual const rrset* servers_at(const zone& child, const origin& asked) const = 0;
};

}  // namespace nearside::dns
