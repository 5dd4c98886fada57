// SPDX-License-Identifier: BSD-2-Clause
// Addresses as the numbers that the client tables hold (bpf/map_types.h). Pure.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>

namespace nearside::dataplane {

/// 192.0.2.1 is 0xc0000201.
[[nodiscard]] inline std::uint32_t number_of(const boost::asio::ip::address_v4& address) noexcept {
  return address.to_uint();
}

/// The first 64 bits of the address.
[[nodiscard]] inline std::uint64_t number_of(const boost::asio::ip::address_v6& address) noexcept {
  const auto octets = address.to_bytes();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | octets[i];
  return number;
}

}  // namespace nearside::dataplane
