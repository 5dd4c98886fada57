// SPDX-License-Identifier: BSD-2-Clause
// Whom an answer is for: the network that the query names (RFC 7871), else the one it comes from. Pure; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>

#include "agent/dns/query.hpp"

namespace nearside::dns {

/// A client as far as an answer can depend on it.
struct client {
  std::uint32_t number = 0;  // of its network, /24 or /56, well mixed: what dns::draw() takes
  std::uint8_t scope = 0;    // SCOPE PREFIX-LENGTH of an answer that depends on it, in bits; 0 where it sent no prefix
};

/// `subnet`: of the query, which counts where its SOURCE PREFIX-LENGTH is above 0; else `source` does, IPv4-mapped
/// addresses as IPv4. The program does the same (client_number() in bpf/lookup.h).
[[nodiscard]] client client_of(const std::optional<client_subnet>& subnet, const boost::asio::ip::address& source);

}  // namespace nearside::dns
