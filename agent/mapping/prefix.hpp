// SPDX-License-Identifier: BSD-2-Clause
// An address prefix, the key of a mapping row: which part of the world a row speaks of. A plain value; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"

namespace nearside::mapping {

/// In canonical form: IPv4 inside IPv6 is IPv4, and no bit is set beyond the length.
struct prefix {
  boost::asio::ip::address address;
  std::uint8_t length = 0;  // in bits; at most 32 for IPv4, most_ipv6 for IPv6 where it is a row's key

  friend bool operator==(const prefix&, const prefix&) = default;
  friend std::strong_ordering operator<=>(const prefix& a, const prefix& b) {
    if (a.address < b.address) return std::strong_ordering::less;
    if (b.address < a.address) return std::strong_ordering::greater;
    return a.length <=> b.length;
  }
};

/// The longest IPv6 prefix of a row: egress addresses move within their /64 (RFC 8981).
inline constexpr std::uint8_t most_ipv6 = 64;

/// In canonical form. `length` counts in the family in which the address is given, and is cut to that family's longest.
[[nodiscard]] prefix prefix_of(const boost::asio::ip::address& given, std::uint8_t length);
/// The key of a resolver's egress address: the address itself for IPv4, its /64 for IPv6.
[[nodiscard]] prefix key_of(const boost::asio::ip::address& egress);
[[nodiscard]] bool contains(const prefix& outer, const boost::asio::ip::address& given);
[[nodiscard]] bool contains(const prefix& outer, const prefix& inner);

/// Whether a host can have it: not unspecified, not multicast, not the limited broadcast address, not IPv4 inside IPv6,
/// and without a zone index.
[[nodiscard]] bool is_host_address(const boost::asio::ip::address& a);
/// From the family's own notation. Error: is_host_address() is false for it, or it is no address.
[[nodiscard]] result<boost::asio::ip::address> parse_host_address(std::string_view text);

/// "192.0.2.0/24".
[[nodiscard]] std::string text_of(const prefix& p);
/// From "192.0.2.0/24", or an address alone for the whole of it. Errors: not an address, a length out of bounds, bits
/// beyond the length.
[[nodiscard]] result<prefix> parse_prefix(std::string_view text);

struct prefix_hash {
  std::size_t operator()(const prefix& p) const noexcept;
};

}  // namespace nearside::mapping
