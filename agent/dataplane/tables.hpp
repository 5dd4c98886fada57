// SPDX-License-Identifier: BSD-2-Clause
// Reading the kernel's tables: which names are installed, and what is answered for them. For the publisher when it
// takes over, and for `nearside names` and `nearside explain`.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dns/name.hpp"

namespace nearside::dataplane {

/// "A", "AAAA", ..., "other".
[[nodiscard]] std::string_view type_class_label(std::uint32_t type_class) noexcept;
/// The column of a query type.
[[nodiscard]] type_class type_class_of(std::uint16_t qtype) noexcept;

/// The key of a name in `names_short` or `names_long`, by the hash key in `config`.
[[nodiscard]] name_key key_of(const object& tables, const dns::name& owner);

/// One row of `names_short` or `names_long`.
struct installed_name {
  dns::name owner;  // lower-cased
  name_key key{};
  std::uint32_t set = 0;
  std::uint8_t zone_octets = 0;  // how many octets of the name's end are the zone's apex
};

/// One prepared answer, as it stands in its slot.
struct image_view {
  std::uint32_t generation = 0;
  std::uint16_t ancount = 0;
  std::uint16_t nscount = 0;
  std::uint16_t arcount = 0;
  std::uint16_t checksum = 0;
  std::uint16_t zone_pointer = NO_ZONE_POINTER;
  std::uint8_t verdict = 0;
  std::uint8_t flags = 0;        // IMAGE_*
  std::uint16_t share = 0xffff;  // as in dns::alternative
  std::uint8_t other = 0;
  std::span<const std::uint8_t> octets;  // in the shared memory: valid while it is published
};

/// Calls for each installed name, in no order. Error: the map cannot be read.
result<void> for_each_name(const object& tables, const std::function<void(installed_name&&)>& visit);
/// The row of this name; nullopt: not installed.
result<std::optional<installed_name>> find_name(const object& tables, const dns::name& owner);
/// The words of a set, by type class; alternatives == 0: userland answers.
[[nodiscard]] std::array<answer_ref, TYPE_CLASS_COUNT> answers_of(const object& tables, std::uint32_t set) noexcept;
/// The same for the words past the lease: A and AAAA. alternatives == 0: what answers_of() says.
[[nodiscard]] std::array<answer_ref, STALE_COLUMNS> stale_answers_of(const object& tables, std::uint32_t set) noexcept;
/// The word of a site in the row of `site_answers` that begins at `base`; alternatives == 0: userland answers.
[[nodiscard]] answer_ref site_answer_of(const object& tables, std::uint32_t base, std::uint32_t site) noexcept;
/// The image of one alternative; nullopt: the reference is empty or out of range.
[[nodiscard]] std::optional<image_view> image_of(const object& tables, answer_ref ref,
                                                 std::uint8_t alternative) noexcept;

}  // namespace nearside::dataplane
