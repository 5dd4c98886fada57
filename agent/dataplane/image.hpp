// SPDX-License-Identifier: BSD-2-Clause
// Prepared answers: what follows the question in a reply, as the kernel copies it. They are cut out of what
// dns::respond() says, so that kernel and agent cannot disagree. Pure; used by the publisher.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/dns/mapping.hpp"
#include "agent/dns/name.hpp"
#include "agent/dns/zone.hpp"
#include "bpf/map_types.h"

namespace nearside::dataplane {

/// One image, without the generation that its slot gets.
struct image {
  std::uint16_t ancount = 0;  // host byte order
  std::uint16_t nscount = 0;
  std::uint16_t arcount = 0;
  std::uint16_t checksum = 0;
  std::uint16_t zone_pointer = NO_ZONE_POINTER;
  std::uint8_t verdict = VERDICT_ANSWERED;
  std::uint8_t flags = 0;        // IMAGE_*
  std::uint16_t share = 0xffff;  // as in dns::alternative
  std::uint8_t other = 0;
  std::vector<std::uint8_t> octets;  // the pointer to the zone is zero in it

  friend bool operator==(const image&, const image&) = default;
};

/// What a column of a set answers: the images to choose from; none: userland answers.
struct answer_images {
  std::vector<image> images;
  bool by_client = false;  // chosen by who the client is

  friend bool operator==(const answer_images&, const answer_images&) = default;
};

/// Ones' complement sum of the little-endian 16-bit words, an odd tail padded with zero, folded to 16 bits.
[[nodiscard]] std::uint16_t checksum_of(std::span<const std::uint8_t> octets) noexcept;

/// The query type that stands for a column; TYPE_CLASS_OTHER is asked by a type for private use (RFC 6895) that no zone
/// has.
[[nodiscard]] std::uint16_t query_type_of(type_class column) noexcept;

/// What the responder says to (owner, qtype) in this alternative, whatever its length. nullopt: the kernel has to pass
/// this query: RCODE other than NOERROR, or no reply. `zone_octets`: length of the enclosing zone's name.
[[nodiscard]] std::optional<image> cut(const dns::zone_set& zones, const dns::choices& chosen, const dns::name& owner,
                                       std::size_t zone_octets, std::uint16_t qtype, std::size_t alternative);
/// The same from a query and the whole reply to it, which is a referral: AA=0, no answer, NS in AUTHORITY. nullopt: it
/// is not, or its octets depend on the QNAME by more than the pointer to it, so that they do not suit other names.
[[nodiscard]] std::optional<image> cut_referral(std::span<const std::uint8_t> query,
                                                std::span<const std::uint8_t> reply);
/// The referral that dns::respond() makes of this for a mapped name. nullopt: as cut_referral(). One that no UDP reply
/// can hold becomes truncated_image().
[[nodiscard]] std::optional<image> render_referral(const dns::zone_set& zones, const dns::name& owner,
                                                   std::shared_ptr<const dns::referral> to);
/// Whether some UDP reply of ours can hold so many octets behind the question.
[[nodiscard]] bool fits_in_a_reply(std::size_t octets) noexcept;
/// Stands for an answer that does not: always TC=1, and nothing else. `flags`: the answer's.
[[nodiscard]] image truncated_image(std::uint8_t flags);

/// All alternatives of one column of a name with this node, as the pools are decided in `chosen`. For TYPE_CLASS_OTHER
/// only a node that has no type without a column of its own can be answered (by NODATA).
[[nodiscard]] answer_images render_column(const dns::zone_set& zones, const dns::choices& chosen,
                                          const dns::name& owner, std::size_t zone_octets, const dns::node& node,
                                          type_class which);

}  // namespace nearside::dataplane
