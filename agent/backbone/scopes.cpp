// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/scopes.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace nearside::backbone {

using mapping::prefix;

namespace {

std::size_t family_of(const prefix& p) noexcept { return p.address.is_v4() ? 0 : 1; }

/// How many leading bits two addresses of one family share.
std::uint8_t common_bits(const boost::asio::ip::address& a, const boost::asio::ip::address& b) {
  const auto count = [](std::span<const std::uint8_t> x, std::span<const std::uint8_t> y) {
    std::size_t bits = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto differing = static_cast<std::uint8_t>(x[i] ^ y[i]);
      bits += static_cast<std::size_t>(std::countl_zero(differing));
      if (differing != 0) break;
    }
    return static_cast<std::uint8_t>(bits);
  };
  if (a.is_v4()) return count(a.to_v4().to_bytes(), b.to_v4().to_bytes());
  return count(a.to_v6().to_bytes(), b.to_v6().to_bytes());
}

}  // namespace

void scopes::insert(const prefix& row) {
  if (row.length <= most_subnet(row.address.is_v4())) rows_.at(family_of(row)).insert(row);
}

void scopes::erase(const prefix& row) { rows_.at(family_of(row)).erase(row); }

/// Some row inside `outer` other than those up to `matched` bits long, which cover it; nullptr: none.
const prefix* scopes::inside(const prefix& outer, std::uint8_t matched) const {
  const auto& rows = rows_.at(family_of(outer));
  // By address, then by length: the covering rows that begin where `outer` does come first.
  auto found = rows.lower_bound({outer.address, static_cast<std::uint8_t>(0)});
  while (found != rows.end() && found->address == outer.address && found->length <= matched) ++found;
  return found != rows.end() && mapping::contains(outer, found->address) ? &*found : nullptr;
}

std::uint8_t scopes::scope_of(const prefix& client, std::uint8_t matched) const {
  std::uint8_t length = std::min(matched, client.length);
  while (const prefix* other = inside(mapping::prefix_of(client.address, length), matched)) {
    if (length >= client.length) return std::max(other->length, length);
    length = std::min(client.length, static_cast<std::uint8_t>(common_bits(client.address, other->address) + 1));
  }
  return length;
}

}  // namespace nearside::backbone
