// SPDX-License-Identifier: BSD-2-Clause
// A name as the kernel's maps have it: lower-cased words, its key, and the binding to a set.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "bpf/map_types.h"

namespace nearside::dataplane {

struct name_words {
  std::array<std::uint64_t, QNAME_WORDS> words{};  // wire format, lower-cased, zero-padded
  name_key key{};
};

/// `wire` in any case; the same hash function as the program's (bpf/qname_hash.h). `hash_key` has two words.
[[nodiscard]] name_words to_words(std::span<const std::uint8_t> wire, const __u64* hash_key) noexcept;

[[nodiscard]] inline name_binding bind_name(const name_key& key, std::uint32_t set, std::uint8_t zone_octets) noexcept {
  return {set, (static_cast<std::uint32_t>(key.hash[1] >> 32) & BINDING_TAG_MASK) | zone_octets};
}

}  // namespace nearside::dataplane
