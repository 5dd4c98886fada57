// SPDX-License-Identifier: BSD-2-Clause
// IP addresses as the configuration may name them: addresses of one host, in the family's own notation. Pure.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/base/result.hpp"

namespace nearside::config {

/// An address that a host can have: IPv4 in dotted quads or IPv6 without a zone index. Errors (expected ..., found
/// ...): no address at all, unspecified, multicast, the limited broadcast address, IPv4 in IPv6 (::ffff:192.0.2.1),
/// with a prefix length or a port.
[[nodiscard]] result<boost::asio::ip::address> parse_host_address(std::string_view text);

/// The address in network byte order: RDATA of an A (4 octets) or AAAA (16 octets) record.
[[nodiscard]] std::vector<std::uint8_t> address_octets(const boost::asio::ip::address& address);

}  // namespace nearside::config
