// SPDX-License-Identifier: BSD-2-Clause
// Echo requests and what comes back, as octets (RFC 792, RFC 4443). Pure functions.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <span>

namespace nearside::probe {

/// What tells one echo from all others.
struct echo_id {
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
  std::uint64_t nonce = 0;  // the first octets of the payload

  friend bool operator==(const echo_id&, const echo_id&) = default;
};

/// The usual 8 octets of header and 56 of payload.
using echo_message = std::array<std::uint8_t, 64>;

/// With its checksum for IPv4; for IPv6 the kernel adds it.
[[nodiscard]] echo_message echo_request(const echo_id& id, bool v6);

/// A reply, or an error about a request.
struct echo_answer {
  bool unreachable = false;
  echo_id id;                      // without the nonce when unreachable
  boost::asio::ip::address about;  // when unreachable: where the request was sent
};

/// From a raw IPv4 socket, IP header included. Nothing: truncated, a wrong ICMP checksum, or another kind of message.
[[nodiscard]] std::optional<echo_answer> read_echo_v4(std::span<const std::uint8_t> packet);

/// From a raw ICMPv6 socket, without IP header. The kernel has verified the checksum (RFC 3542 3.1).
[[nodiscard]] std::optional<echo_answer> read_echo_v6(std::span<const std::uint8_t> message);

}  // namespace nearside::probe
