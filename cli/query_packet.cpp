// SPDX-License-Identifier: BSD-2-Clause
#include "cli/query_packet.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace nearside::cli {
namespace {

using octets = std::vector<std::uint8_t>;
namespace ip = boost::asio::ip;

constexpr std::size_t ethernet_header_octets = 14;
constexpr std::size_t ip4_header_octets = 20;
constexpr std::size_t ip6_header_octets = 40;
constexpr std::size_t udp_header_octets = 8;
constexpr std::uint16_t ephemeral_port = 49152;

void put16(octets& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

// One by one: g++ 12 with -O3 sees an insertion of a range behind a list of known length read beyond its end.
void put(octets& to, std::span<const std::uint8_t> what) {
  for (const std::uint8_t octet : what) to.push_back(octet);
}

octets address_octets(const ip::address& address) {
  octets out;
  if (address.is_v4())
    put(out, address.to_v4().to_bytes());
  else
    put(out, address.to_v6().to_bytes());
  return out;
}

/// RFC 1071: the ones' complement of the ones' complement sum of big-endian words.
std::uint16_t checksum(std::span<const std::uint8_t> over, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < over.size(); ++i) sum += i % 2 == 0 ? std::uint32_t{over[i]} << 8 : over[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void replace16(octets& in, std::size_t at, std::uint16_t value) {
  in[at] = static_cast<std::uint8_t>(value >> 8);
  in[at + 1] = static_cast<std::uint8_t>(value);
}

std::size_t read16(std::span<const std::uint8_t> from, std::size_t at) {
  return std::size_t{from[at]} << 8 | from[at + 1];
}

/// RFC 7871 6: only the octets that SOURCE PREFIX-LENGTH covers are sent.
octets ecs_option(const client_prefix& client) {
  octets address = address_octets(client.address);
  address.resize((client.length + std::size_t{7}) / 8);
  octets option;
  put16(option, 8);
  put16(option, 4 + address.size());
  put16(option, client.address.is_v4() ? 1 : 2);
  option.push_back(client.length);
  option.push_back(0);
  put(option, address);
  return option;
}

octets udp_datagram(const query& q) {
  const octets message = query_message(q);
  octets udp;
  put16(udp, ephemeral_port);
  put16(udp, q.port);
  put16(udp, udp_header_octets + message.size());
  put16(udp, 0);
  put(udp, message);

  octets pseudo_header = address_octets(q.source);
  put(pseudo_header, address_octets(q.destination));
  put16(pseudo_header, 17);
  put16(pseudo_header, udp.size());
  const auto partial = static_cast<std::uint16_t>(~checksum(pseudo_header));
  const std::uint16_t sum = checksum(udp, partial);
  replace16(udp, 6, sum == 0 ? 0xffff : sum);  // RFC 768: zero means that there is none
  return udp;
}

octets ip4_header(const query& q, std::size_t payload) {
  octets header{0x45, 0};
  put16(header, ip4_header_octets + payload);
  put(header, octets{0, 1, 0x40, 0, 64, 17, 0, 0});  // ID 1, DF, TTL 64, UDP
  put(header, address_octets(q.source));
  put(header, address_octets(q.destination));
  replace16(header, 10, checksum(header));
  return header;
}

octets ip6_header(const query& q, std::size_t payload) {
  octets header{0x60, 0, 0, 0};
  put16(header, payload);
  put(header, octets{17, 64});
  put(header, address_octets(q.source));
  put(header, address_octets(q.destination));
  return header;
}

}  // namespace

result<client_prefix> prefix_from_text(const std::string& text) {
  const error wrong{errc::invalid, text + ": not an address or a prefix such as 192.0.2.0/24 or 2001:db8::/48"};
  const std::size_t slash = text.find('/');
  boost::system::error_code bad;
  client_prefix prefix;
  prefix.address = ip::make_address(text.substr(0, slash), bad);
  if (bad) return wrong;
  octets address = address_octets(prefix.address);
  auto length = static_cast<unsigned>(address.size() * 8);
  if (slash != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + slash + 1, end, length);
    if (parsed.ec != std::errc() || parsed.ptr != end || length > address.size() * 8) return wrong;
  }
  for (std::size_t bit = length; bit < address.size() * 8; ++bit)
    address[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  prefix.length = static_cast<std::uint8_t>(length);
  if (prefix.address.is_v4()) {
    ip::address_v4::bytes_type cut;
    std::copy(address.begin(), address.end(), cut.begin());
    prefix.address = ip::address_v4(cut);
  } else {
    ip::address_v6::bytes_type cut;
    std::copy(address.begin(), address.end(), cut.begin());
    prefix.address = ip::address_v6(cut);
  }
  return prefix;
}

std::vector<std::uint8_t> query_message(const query& q) {
  octets message{0x4e, 0x53, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1};  // ID, RD=1, one question, one OPT
  put(message, q.qname.wire());
  put16(message, q.qtype);
  put16(message, 1);
  const octets option = q.client ? ecs_option(*q.client) : octets{};
  put(message, octets{0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0});  // OPT of the root, 1232 octets, version 0, DO=0
  put16(message, option.size());
  put(message, option);
  return message;
}

std::vector<std::uint8_t> query_frame(const query& q) {
  const bool four = q.destination.is_v4();
  const octets udp = udp_datagram(q);
  // Locally administered MAC addresses: to ...01, from ...02.
  octets frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  put16(frame, four ? 0x0800 : 0x86dd);
  put(frame, four ? ip4_header(q, udp.size()) : ip6_header(q, udp.size()));
  put(frame, udp);
  return frame;
}

std::span<const std::uint8_t> message_in(std::span<const std::uint8_t> frame) noexcept {
  if (frame.size() < ethernet_header_octets + ip4_header_octets + udp_header_octets) return {};
  const std::size_t ether_type = read16(frame, 12);
  const std::size_t header = ether_type == 0x86dd ? ip6_header_octets : ip4_header_octets;
  const std::size_t udp = ethernet_header_octets + header;
  if (frame.size() < udp + udp_header_octets) return {};
  const std::size_t length = read16(frame, udp + 4);
  if (length < udp_header_octets || frame.size() < udp + length) return {};
  return frame.subspan(udp + udp_header_octets, length - udp_header_octets);
}

}  // namespace nearside::cli
