// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/client.hpp"

#include <algorithm>
#include <span>

extern "C" {
#include "bpf/client_hash.h"
}

namespace nearside::dns {

namespace {

constexpr std::uint16_t family_ipv6 = 2;  // IANA's address family numbers, as in ECS

std::uint64_t first_word(std::span<const std::uint8_t> octets) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(octets.size(), sizeof word); ++i) {
    word |= std::uint64_t{octets[i]} << (8 * i);
  }
  return word;
}

}  // namespace

client client_of(const std::optional<client_subnet>& subnet, const boost::asio::ip::address& source) {
  if (subnet && subnet->source_prefix > 0) {
    const bool is_ipv6 = subnet->family == family_ipv6;
    const std::uint8_t most = is_ipv6 ? CLIENT_PREFIX_IPV6 : CLIENT_PREFIX_IPV4;
    return {client_hash(first_word(subnet->address), is_ipv6 ? 1 : 0), std::min(subnet->source_prefix, most)};
  }
  if (source.is_v4()) return {client_hash(first_word(source.to_v4().to_bytes()), 0), 0};
  const auto v6 = source.to_v6();
  const auto octets = v6.to_bytes();
  if (v6.is_v4_mapped()) return {client_hash(first_word(std::span(octets).subspan(12)), 0), 0};
  return {client_hash(first_word(octets), 1), 0};
}

}  // namespace nearside::dns
