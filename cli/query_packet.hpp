// SPDX-License-Identifier: BSD-2-Clause
// A query as it would come from the wire: an Ethernet frame for a test run of the program, and the way back out of the
// reply's frame. Pure; used by `explain`.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dns/name.hpp"

namespace nearside::cli {

/// A client's network as ECS carries it (RFC 7871 6).
struct client_prefix {
  boost::asio::ip::address address;  // bits beyond the length are zero
  std::uint8_t length = 0;
};

/// "192.0.2.0/24", "2001:db8::/48"; without a length the whole address. Error: invalid.
result<client_prefix> prefix_from_text(const std::string& text);

struct query {
  dns::name qname;
  std::uint16_t qtype = 1;
  std::optional<client_prefix> client;  // sent as ECS
  boost::asio::ip::address source;      // of the same family as the destination
  boost::asio::ip::address destination;
  std::uint16_t port = 53;
};

/// The DNS message: RD=1, EDNS with 1232 octets.
[[nodiscard]] std::vector<std::uint8_t> query_message(const query& q);
/// The whole frame, with correct lengths and checksums.
[[nodiscard]] std::vector<std::uint8_t> query_frame(const query& q);

/// The DNS message inside an untagged UDP frame; empty: it is none, or cut off.
[[nodiscard]] std::span<const std::uint8_t> message_in(std::span<const std::uint8_t> frame) noexcept;

}  // namespace nearside::cli
