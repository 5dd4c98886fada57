// SPDX-License-Identifier: BSD-2-Clause
// Query in, reply out, from the zones: everything that DNS asks of an authoritative server, UDP or TCP. Pure: no
// sockets, no clock.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/dns/mapping.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dns {

/// What the node says of itself.
struct identity {
  std::string id;       // CH TXT id.server. / hostname.bind. and NSID (RFC 4892, RFC 5001); empty: not told
  std::string version;  // CH TXT version.bind. / version.server.; empty: not told
};

/// How the query came, and what decides among alternatives.
struct request_context {
  bool tcp = false;                             // no limit but 65,535 octets
  std::uint32_t random = 0;                     // evenly distributed over 32 bits: dns::draw() takes it
  boost::asio::ip::address client = {};         // where it comes from: for choices by client
  std::optional<std::size_t> alternative = {};  // for rendering: of n alternatives the one numbered alternative % n
  boost::asio::ip::address destination = {};    // which of our addresses it came to
  const mapping* map = nullptr;                 // what is registered; nullptr: nothing can be
};

/// The reply in wire format; empty where none is to be sent (a response, less than a header).
/// The layout of what the kernel can answer as well is fixed in docs/map-contract.md and must stay byte-equal with
/// bpf/.
/// `chosen`: what the pools of the zones answer (lookup()).
[[nodiscard]] std::vector<std::uint8_t> respond(const zone_set& zones, const choices& chosen, const identity& self,
                                                std::span<const std::uint8_t> message, const request_context& context);

}  // namespace nearside::dns
