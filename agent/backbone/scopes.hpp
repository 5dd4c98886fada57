// SPDX-License-Identifier: BSD-2-Clause
// How widely a resolver may reuse an answer that was chosen by a client's prefix (RFC 7871): as widely as the row that
// decided, but never so widely that it covers the clients of another row. Owned by the directory, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <set>

#include "agent/mapping/prefix.hpp"

namespace nearside::backbone {

/// The part of a client's prefix that counts: what is longer speaks of single hosts (RFC 7871 11.1).
inline constexpr std::uint8_t most_subnet_v4 = 24;
inline constexpr std::uint8_t most_subnet_v6 = 56;
[[nodiscard]] constexpr std::uint8_t most_subnet(bool is_v4) noexcept {
  return is_v4 ? most_subnet_v4 : most_subnet_v6;
}

class scopes {
 public:
  /// A row is there; those that are longer than what counts decide for no client's prefix and are left out.
  void insert(const mapping::prefix& row);
  void erase(const mapping::prefix& row);

  /// SCOPE PREFIX-LENGTH of what a row of length `matched` (0: none matched) answers to `client`. RFC 7871 7.2.1:
  /// answers must not overlap, for the resolver may get that of a wide row first and would use it for the clients of
  /// the narrower ones inside. So it is the shortest prefix of `client`, no shorter than the row, that has no other row
  /// inside; where there is one within `client` itself, SCOPE is the longer one: "tell me more next time".
  [[nodiscard]] std::uint8_t scope_of(const mapping::prefix& client, std::uint8_t matched) const;

 private:
  [[nodiscard]] const mapping::prefix* inside(const mapping::prefix& outer, std::uint8_t matched) const;

  std::array<std::set<mapping::prefix>, 2> rows_;  // 0: IPv4, 1: IPv6
};

}  // namespace nearside::backbone
