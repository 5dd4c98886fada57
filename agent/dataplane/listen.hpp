// SPDX-License-Identifier: BSD-2-Clause
// The addresses and the port that the program answers on. Two copies: the one not in force is written, then switched
// to, so that the program never sees half a list.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

struct listen_addresses {
  std::uint16_t port = 53;
  std::vector<boost::asio::ip::address> addresses;  // all of them
  std::vector<boost::asio::ip::address> direct;     // those on which the agent is the server of the zone cuts itself
};

/// True: written and switched; false: it was so already. Errors: more than MAX_LISTEN addresses of a family
/// (exhausted); an unspecified, multicast or broadcast address, or port 0 (invalid). No addresses: the program answers
/// nothing. `direct`: those of the addresses on which what is answered by site is left to the agent, as it answers
/// there as the server of the zone cuts itself. Error besides: one of them is not among the addresses (invalid).
result<bool> set_listen(const object& tables, std::uint16_t port, std::span<const boost::asio::ip::address> addresses,
                        std::span<const boost::asio::ip::address> direct = {});

/// What is in force.
[[nodiscard]] listen_addresses get_listen(const object& tables);

}  // namespace nearside::dataplane
