// SPDX-License-Identifier: BSD-2-Clause
// One question to one recursive resolver: over UDP, and over TCP where the answer says that it was cut (TC=1).
// A coroutine of the caller's executor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "agent/base/result.hpp"
#include "agent/dns/question.hpp"

namespace nearside::registration {

struct answer {
  dns::owned_packet message;  // never nullptr
  /// From the query to the first answer that fits it: the way to the resolver and back, and what the resolver did
  /// meanwhile.
  std::chrono::microseconds rtt{};
};

/// All in `time`; nothing is sent twice. Errors begin with the resolver: failing, "192.0.2.53 port 53: timeout";
/// system, where this machine cannot ask.
[[nodiscard]] boost::asio::awaitable<result<answer>> ask(boost::asio::ip::udp::endpoint resolver,
                                                         std::shared_ptr<const dns::question> asked,
                                                         std::chrono::milliseconds time);

/// What the answer to a nonce's TXT question shows: the address, as text, that the backbone node was asked from.
/// Errors: failing, "SERVFAIL", "no address in the answer".
[[nodiscard]] result<boost::asio::ip::address> observed_address(const ldns_pkt* message);

}  // namespace nearside::registration
