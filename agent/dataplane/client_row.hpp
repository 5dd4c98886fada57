// SPDX-License-Identifier: BSD-2-Clause
// A row of the mapping as the kernel's tables hold it. Plain data.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "agent/mapping/prefix.hpp"
#include "bpf/client_rows.h"

namespace nearside::dataplane {

/// The addresses of the first edge of a row's site, for people; zero: it has none of the family.
struct edge_addresses {
  std::array<std::uint8_t, 4> ipv4{};
  std::array<std::uint8_t, 16> ipv6{};

  friend bool operator==(const edge_addresses&, const edge_addresses&) = default;
};

struct client_row {
  mapping::prefix who;  // IPv6: at most /64
  std::uint32_t site = 0;
  edge_addresses edge;

  friend bool operator==(const client_row&, const client_row&) = default;
};

/// What is kept of a row beside its prefix.
struct row_value {
  std::uint32_t site = 0;
  edge_addresses edge;
  bool shown = false;  // it stands in `mapping4` or `mapping6`
};

/// The site as a row's word has it; one that is out of range is left to the agent.
[[nodiscard]] constexpr std::uint32_t site_word(std::uint32_t site) noexcept {
  return site < MAX_SITES ? site + 1 : ROW_PASS;
}

/// One store that a reader sees as a whole, after what was written before it.
template <typename Word, typename Place>
void store_word(Place* place, Word word) noexcept {
  std::atomic_ref<Word>(*reinterpret_cast<Word*>(place)).store(word, std::memory_order_release);
}

}  // namespace nearside::dataplane
