// SPDX-License-Identifier: BSD-2-Clause
// A name whose clients are referred to edges, or answered in their stead: a [[zone.balance]] with a mode. Plain value:
// made by load(), then only read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/dns/name.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::config {

enum class mapped_mode : std::uint8_t {
  referral,   ///< to the edges
  direct,     ///< the answer that the client's edge reports
  automatic,  ///< a referral where it serves the client as well
};
// The words of each, as they are written in a configuration, are by its number.
inline constexpr std::array<std::string_view, 3> mapped_mode_words{"referral", "direct", "auto"};
[[nodiscard]] constexpr std::string_view text_of(mapped_mode how) noexcept {
  return mapped_mode_words[static_cast<std::size_t>(how)];
}

struct mapped_name {
  dns::name owner;
  dns::name zone;  // its apex
  mapped_mode how = mapped_mode::referral;
  std::uint32_t pool = dns::no_pool;  // index into measuring::pools; no_pool: no servers are given
  std::size_t addresses = 0;          // in a direct answer; 0: all
  std::uint32_t ttl = 20;             // of a direct answer, at most, in seconds
  std::uint32_t referral_ttl = 60;    // of NS and glue, in seconds

  friend bool operator==(const mapped_name&, const mapped_name&) = default;
};

/// What the sections of the file make of the node, as far as zones depend on it.
struct node_roles {
  bool is_backbone = false;  // [backbone]
  bool registers = false;    // [registration]
};

}  // namespace nearside::config
