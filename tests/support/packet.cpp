// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/packet.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace nearside::tests {
namespace {

const octets CLIENT_MAC{0x02, 0, 0, 0, 0, 0x0c};
const octets OUR_MAC{0x02, 0, 0, 0, 0, 0x05};

void put16(octets& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

void put(octets& to, const octets& more) { to.insert(to.end(), more.begin(), more.end()); }

void set16(octets& in, std::size_t at, unsigned value) {
  in[at] = static_cast<std::uint8_t>(value >> 8);
  in[at + 1] = static_cast<std::uint8_t>(value);
}

unsigned get16(const octets& from, std::size_t at) { return static_cast<unsigned>(from.at(at) << 8 | from.at(at + 1)); }

octets address_octets(const std::string& text) {
  const bool v6 = text.find(':') != std::string::npos;
  octets out(v6 ? 16 : 4);
  inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), out.data());
  return out;
}

octets wire_name(const std::string& text) {
  octets out;
  std::string label;
  for (const char c : text + (text.empty() || text.back() == '.' ? "" : ".")) {
    if (c != '.') {
      label += c;
    } else if (!label.empty()) {
      out.push_back(static_cast<std::uint8_t>(label.size()));
      out.insert(out.end(), label.begin(), label.end());
      label.clear();
    }
  }
  out.push_back(0);
  return out;
}

// What the UDP checksum covers (RFC 768, RFC 8200 8.1).
octets pseudo_header(const octets& source, const octets& destination, std::size_t udp_length) {
  octets out = source;
  put(out, destination);
  put16(out, 17);
  put16(out, static_cast<unsigned>(udp_length));
  return out;
}

}  // namespace

std::uint16_t internet_checksum(std::span<const std::uint8_t> data, std::uint32_t sum) {
  for (std::size_t i = 0; i < data.size(); i += 2) {
    sum += static_cast<std::uint32_t>(data[i] << 8) + (i + 1 < data.size() ? data[i + 1] : 0u);
  }
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

query& query::option(std::uint16_t code, const octets& data) {
  if (!udp_size_) edns();
  put16(options_, code);
  put16(options_, static_cast<unsigned>(data.size()));
  put(options_, data);
  return *this;
}

query& query::ecs(const std::string& address, unsigned source, unsigned scope) {
  octets full = address_octets(address), data;
  put16(data, full.size() == 4 ? 1 : 2);
  data.push_back(static_cast<std::uint8_t>(source));
  data.push_back(static_cast<std::uint8_t>(scope));
  full.resize(std::min<std::size_t>(full.size(), (source + 7) / 8));
  put(data, full);
  return option(8, data);
}

query& query::vlan(std::uint16_t id, std::uint16_t tpid) {
  tags_.emplace_back(tpid, id);
  return *this;
}

octets query::message() const {
  octets out;
  put16(out, id_);
  put16(out, flags_);
  for (const auto count : counts_) put16(out, count);
  put16(out, udp_size_ ? 1 : 0);
  put(out, raw_qname_ ? *raw_qname_ : wire_name(qname_));
  put16(out, qtype_);
  put16(out, qclass_);
  if (udp_size_) {
    out.push_back(0);
    put16(out, 41);
    put16(out, *udp_size_);
    out.push_back(0);
    out.push_back(version_);
    put16(out, edns_flags_);
    put16(out, static_cast<unsigned>(options_.size()));
    put(out, options_);
  }
  put(out, trailing_);
  return out;
}

octets query::frame() const {
  const octets dns = message(), source = address_octets(source_), destination = address_octets(destination_);
  octets udp;
  put16(udp, source_port_);
  put16(udp, destination_port_);
  put16(udp, static_cast<unsigned>(8 + dns.size()));
  put16(udp, 0);
  put(udp, dns);
  if (!no_checksum_) {
    octets covered = pseudo_header(source, destination, udp.size());
    put(covered, udp);
    const auto checksum = internet_checksum(covered);
    set16(udp, 6, checksum == 0 ? 0xffff : checksum);
  }

  octets out = OUR_MAC;
  put(out, CLIENT_MAC);
  for (const auto& [tpid, id] : tags_) {
    put16(out, tpid);
    put16(out, id);
  }
  put16(out, is_ipv6() ? 0x86dd : 0x0800);
  octets ip;
  if (is_ipv6()) {
    put(ip, {0x60, 0, 0, 0});
    put16(ip, static_cast<unsigned>(udp.size()));
    put(ip, {17, 57});
  } else {
    put(ip, {0x45, 0});
    put16(ip, static_cast<unsigned>(20 + udp.size()));
    put(ip, {0x12, 0x34, 0x40, 0, 57, 17, 0, 0});
  }
  put(ip, source);
  put(ip, destination);
  if (!is_ipv6()) set16(ip, 10, internet_checksum(ip));
  put(out, ip);
  put(out, udp);
  if (out.size() < padding_to_) out.resize(padding_to_);
  if (spoil_) spoil_(out, ip_offset());
  return out;
}

reply_frame take_apart(const octets& frame, const query& asked) {
  const octets sent = asked.frame();
  const std::size_t ip = asked.ip_offset(), address_size = asked.is_ipv6() ? 16 : 4;
  const std::size_t addresses = ip + (asked.is_ipv6() ? 8 : 12), udp = ip + (asked.is_ipv6() ? 40 : 20);
  if (frame.size() < udp + 8 + 12) return {"shorter than its headers", {}};
  const auto part = [](const octets& from, std::size_t at, std::size_t count) {
    return octets(from.begin() + static_cast<std::ptrdiff_t>(at),
                  from.begin() + static_cast<std::ptrdiff_t>(at + count));
  };
  if (part(frame, 0, 6) != part(sent, 6, 6) || part(frame, 6, 6) != part(sent, 0, 6)) return {"MAC addresses", {}};
  if (part(frame, 12, ip - 12) != part(sent, 12, ip - 12)) return {"VLAN tags or EtherType", {}};
  const octets source = part(frame, addresses, address_size);
  const octets destination = part(frame, addresses + address_size, address_size);
  if (source != part(sent, addresses + address_size, address_size) ||
      destination != part(sent, addresses, address_size)) {
    return {"IP addresses", {}};
  }
  const std::size_t length = frame.size() - udp;
  if (asked.is_ipv6()) {
    if (get16(frame, ip + 4) != length) return {"IPv6 payload length", {}};
  } else {
    if (get16(frame, ip + 2) != length + 20) return {"IPv4 total length", {}};
    if (internet_checksum(part(frame, ip, 20)) != 0) return {"IPv4 header checksum", {}};
    // RFC 6864 4.1: an atomic datagram, which no router cuts, needs no identification.
    if (get16(frame, ip + 4) != 0 || get16(frame, ip + 6) != 0x4000) return {"IPv4 identification or DF", {}};
  }
  if (get16(frame, udp) != get16(sent, udp + 2) || get16(frame, udp + 2) != get16(sent, udp)) return {"UDP ports", {}};
  if (get16(frame, udp + 4) != length) return {"UDP length", {}};
  octets covered = pseudo_header(source, destination, length);
  put(covered, part(frame, udp, length));
  if (get16(frame, udp + 6) == 0 || internet_checksum(covered) != 0) return {"UDP checksum", {}};
  return {"", part(frame, udp + 8, length - 8)};
}

}  // namespace nearside::tests
