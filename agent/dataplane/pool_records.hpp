// SPDX-License-Identifier: BSD-2-Clause
// The records of a pool's RRset, cut once out of what the responder says to all of them; the images of any choice are
// put together from these parts, since a decision that changes thousands of answers has no time to ask for each.
// Pure; owned by the answer sets, on the publisher's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/dataplane/image.hpp"
#include "agent/dns/choice.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

/// What a pool answers for this RRset.
[[nodiscard]] const dns::choice& choice_of(const dns::pool_choice& pool, const dns::rrset& set) noexcept;

class pool_records {
 public:
  /// The parts for `set`, which belongs to `owner` and is in a pool. nullopt: the reply has not the form that can be
  /// cut. `scratch` holds nothing that counts: who cuts for many pools keeps it, as it is as long as the pool's number.
  static std::optional<pool_records> cut(const dns::zone_set& zones, const dns::name& owner, std::size_t zone_octets,
                                         const dns::rrset& set, dns::choices& scratch);

  /// The images of a choice whose kind is `answer`, octet for octet what the responder says; `into` is overwritten.
  /// False: it names records that are not there, or no alternative.
  [[nodiscard]] bool compose(const dns::choice& decided, answer_images& into) const;

 private:
  [[nodiscard]] bool compose(const dns::alternative& one, std::uint32_t ttl, image& into) const;

  std::size_t record_octets_ = 0;
  std::vector<std::uint8_t> octets_;      // of all records, each with TTL 0
  std::vector<std::uint16_t> checksums_;  // of each record
  std::uint8_t flags_ = 0;                // IMAGE_*
};

}  // namespace nearside::dataplane
