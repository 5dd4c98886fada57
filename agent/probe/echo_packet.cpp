// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/echo_packet.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace nearside::probe {
namespace ip = boost::asio::ip;
using octets = std::span<const std::uint8_t>;

namespace {

constexpr std::size_t header_octets = 8;
constexpr std::size_t v4_header = 20;
constexpr std::size_t v6_header = 40;
constexpr std::uint8_t v4_reply = 0;
constexpr std::uint8_t v4_unreachable = 3;
constexpr std::uint8_t v4_request = 8;
constexpr std::uint8_t v6_unreachable = 1;
constexpr std::uint8_t v6_request = 128;
constexpr std::uint8_t v6_reply = 129;
constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_icmpv6 = 58;

std::uint16_t word(octets from, std::size_t at) { return static_cast<std::uint16_t>(from[at] << 8 | from[at + 1]); }

void put_word(echo_message& to, std::size_t at, std::uint16_t value) {
  to[at] = static_cast<std::uint8_t>(value >> 8);
  to[at + 1] = static_cast<std::uint8_t>(value);
}

/// RFC 1071; 0 over a message whose checksum is right.
std::uint16_t checksum(octets message) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < message.size(); i += 2) sum += word(message, i);
  if (message.size() % 2 != 0) sum += static_cast<std::uint32_t>(message.back() << 8);
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::optional<echo_answer> reply(octets message) {
  if (message.size() < sizeof(echo_message)) return std::nullopt;
  echo_answer answer{false, {word(message, 4), word(message, 6), 0}, {}};
  std::memcpy(&answer.id.nonce, &message[header_octets], sizeof answer.id.nonce);
  return answer;
}

/// The octets behind the IPv4 header when it carries ICMP; else none.
octets inside_v4(octets packet) {
  if (packet.size() < v4_header || packet[0] >> 4 != 4 || packet[9] != protocol_icmp) return {};
  const std::size_t header = std::size_t{packet[0] & 0xfU} * 4;
  return header < v4_header || header > packet.size() ? octets{} : packet.subspan(header);
}

}  // namespace

echo_message echo_request(const echo_id& id, bool v6) {
  echo_message message{};
  message[0] = v6 ? v6_request : v4_request;
  put_word(message, 4, id.identifier);
  put_word(message, 6, id.sequence);
  std::memcpy(&message[header_octets], &id.nonce, sizeof id.nonce);
  if (!v6) put_word(message, 2, checksum(message));
  return message;
}

std::optional<echo_answer> read_echo_v4(octets packet) {
  const octets message = inside_v4(packet);
  if (message.size() < header_octets || checksum(message) != 0) return std::nullopt;
  if (message[0] == v4_reply) return reply(message);
  if (message[0] != v4_unreachable) return std::nullopt;
  // RFC 792: the IP header and the first 8 octets of what was sent.
  const octets quoted = message.subspan(header_octets);
  const octets request = inside_v4(quoted);
  if (request.size() < header_octets || request[0] != v4_request) return std::nullopt;
  ip::address_v4::bytes_type to{};
  std::copy_n(quoted.begin() + 16, to.size(), to.begin());
  return echo_answer{true, {word(request, 4), word(request, 6), 0}, ip::address_v4(to)};
}

std::optional<echo_answer> read_echo_v6(octets message) {
  if (message.size() < header_octets) return std::nullopt;
  if (message[0] == v6_reply) return reply(message);
  if (message[0] != v6_unreachable || message.size() < header_octets + v6_header + header_octets) return std::nullopt;
  const octets quoted = message.subspan(header_octets);
  const octets request = quoted.subspan(v6_header);
  if (quoted[0] >> 4 != 6 || quoted[6] != protocol_icmpv6 || request[0] != v6_request) return std::nullopt;
  ip::address_v6::bytes_type to{};
  std::copy_n(quoted.begin() + 24, to.size(), to.begin());
  return echo_answer{true, {word(request, 4), word(request, 6), 0}, ip::address_v6(to)};
}

}  // namespace nearside::probe
