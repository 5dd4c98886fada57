// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/prefix.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace nearside::mapping {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

constexpr std::uint8_t most_ipv4 = 32;
constexpr std::uint8_t whole_ipv6 = 128;
constexpr std::size_t longest_address = 45;  // as text: IPv6 with the last 32 bits in dotted quads

std::uint32_t mask_of(std::uint8_t length) { return length == 0 ? 0 : ~std::uint32_t{0} << (most_ipv4 - length); }

address_v6::bytes_type cut(address_v6::bytes_type octets, std::uint8_t length) {
  const std::size_t whole = length / 8;
  if (whole == octets.size()) return octets;
  octets[whole] = static_cast<unsigned char>(octets[whole] & (0xFF00U >> (length % 8U)));
  std::fill(octets.begin() + static_cast<std::ptrdiff_t>(whole) + 1, octets.end(), static_cast<unsigned char>(0));
  return octets;
}

/// IPv4 inside IPv6 is IPv4; a zone index is no part of a key.
address plain(const address& a) {
  if (a.is_v4()) return a;
  const auto octets = a.to_v6().to_bytes();
  if (a.to_v6().is_v4_mapped()) return address_v4({octets[12], octets[13], octets[14], octets[15]});
  return address_v6(octets);
}

error not_a_prefix(std::string_view text, const char* because) {
  return {errc::invalid,
          "expected an address or ADDRESS/LENGTH, found \"" + std::string(text.substr(0, 64)) + "\"" + because};
}

}  // namespace

prefix prefix_of(const address& given, std::uint8_t length) {
  const address a = plain(given);
  if (a.is_v4()) {
    if (given.is_v6()) {
      // Shorter than ::ffff:0:0/96 it covers more than IPv4: then it is an IPv6 prefix.
      if (length < 96) return {address_v6(cut(given.to_v6().to_bytes(), length)), length};
      length = static_cast<std::uint8_t>(length - 96);
    }
    length = std::min(length, most_ipv4);
    return {address_v4(a.to_v4().to_uint() & mask_of(length)), length};
  }
  length = std::min(length, whole_ipv6);
  return {address_v6(cut(a.to_v6().to_bytes(), length)), length};
}

prefix key_of(const address& egress) {
  const address a = plain(egress);
  return prefix_of(a, a.is_v4() ? most_ipv4 : most_ipv6);
}

bool contains(const prefix& outer, const address& given) {
  const address a = plain(given);
  if (a.is_v4() != outer.address.is_v4()) return false;
  return prefix_of(a, outer.length).address == outer.address;
}

bool contains(const prefix& outer, const prefix& inner) {
  return inner.length >= outer.length && contains(outer, inner.address);
}

bool is_host_address(const address& a) {
  if (a.is_unspecified() || a.is_multicast()) return false;
  if (a.is_v4()) return a.to_v4() != address_v4::broadcast();
  return !a.to_v6().is_v4_mapped() && a.to_v6().scope_id() == 0;
}

result<address> parse_host_address(std::string_view text) {
  // An embedded NUL would be taken for the end, and a name of an interface for a zone index.
  if (text.size() <= longest_address && text.find('\0') == std::string_view::npos &&
      text.find('%') == std::string_view::npos) {
    boost::system::error_code failed;
    const address a = boost::asio::ip::make_address(std::string(text), failed);
    if (!failed && is_host_address(a)) return a;
  }
  return error{errc::invalid, "expected the address of one host, found \"" + std::string(text.substr(0, 64)) + "\""};
}

std::string text_of(const prefix& p) { return p.address.to_string() + "/" + std::to_string(p.length); }

result<prefix> parse_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view in_front = text.substr(0, slash);
  if (in_front.size() > longest_address || in_front.find('\0') != std::string_view::npos ||
      in_front.find('%') != std::string_view::npos)
    return not_a_prefix(text, "");
  boost::system::error_code failed;
  const address a = boost::asio::ip::make_address(std::string(in_front), failed);
  if (failed) return not_a_prefix(text, "");
  std::uint8_t length = a.is_v4() ? most_ipv4 : whole_ipv6;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    unsigned number = 0;
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (wrong != std::errc() || end != digits.data() + digits.size() || number > length)
      return not_a_prefix(text, ", whose length is out of bounds");
    length = static_cast<std::uint8_t>(number);
  }
  const prefix p = prefix_of(a, length);
  if (p.address != plain(a) && p.address != a) return not_a_prefix(text, ", which has bits beyond its length");
  return p;
}

std::size_t prefix_hash::operator()(const prefix& p) const noexcept {
  // The finisher of splitmix64: every bit of the key moves every bit of the hash.
  const auto mixed = [](std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  };
  if (p.address.is_v4()) return mixed(std::uint64_t{p.length} << 32U | p.address.to_v4().to_uint());
  const auto octets = p.address.to_v6().to_bytes();
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, octets.data(), 8);
  std::memcpy(&low, octets.data() + 8, 8);
  return mixed(high + mixed(low + mixed(0x100U | p.length)));
}

}  // namespace nearside::mapping
