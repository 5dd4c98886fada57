// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/name_row.hpp"

#include <algorithm>
#include <cstring>

extern "C" {
#include "bpf/qname_hash.h"
}

namespace nearside::dataplane {

name_words to_words(std::span<const std::uint8_t> wire, const __u64* hash_key) noexcept {
  std::array<std::uint8_t, QNAME_WORDS * sizeof(std::uint64_t)> octets{};
  const std::size_t size = std::min(wire.size(), octets.size());
  // The length octets (0 to 63) lie below 'A', so they stay as they are.
  std::transform(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size), octets.begin(),
                 [](std::uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c | 0x20) : c; });
  name_words name;
  std::memcpy(name.words.data(), octets.data(), octets.size());
  std::array<__u64, QNAME_WORDS> words{};
  std::memcpy(words.data(), octets.data(), octets.size());
  qname_hash(words.data(), static_cast<unsigned int>(size), hash_key, &name.key);
  return name;
}

}  // namespace nearside::dataplane
