// SPDX-License-Identifier: BSD-2-Clause
// What all answering sockets share: the content in force, the random source, the counters. Owned by the daemon,
// which swaps the content at a reload; used on the one serving thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "agent/dns/respond.hpp"
#include "agent/serve/counters.hpp"
#include "agent/serve/pick.hpp"

namespace nearside::serve {

enum class transport { udp, tcp };

/// From what a reply is made. A reply is made wholly from the old or wholly from the new one.
struct content {
  std::shared_ptr<const dns::zone_set> zones;  ///< never null
  /// What the zones' pools answer; never null. Changed in place, between two replies, by whoever decides.
  std::shared_ptr<dns::choices> choices;
  dns::identity self;
  /// What is registered; null where nothing can be. Changed in place, between two replies.
  std::shared_ptr<const dns::mapping> map = nullptr;
};

class answerer {
 public:
  answerer(content initial, pick_source& picks) : content_(std::move(initial)), picks_(picks) {}

  /// The reply to one message from `client` to our address `destination`; empty where none is due. Counts it by RCODE.
  [[nodiscard]] std::vector<std::uint8_t> answer(std::span<const std::uint8_t> message, transport by,
                                                 const boost::asio::ip::address& client,
                                                 const boost::asio::ip::address& destination);
  /// From the next message on, replies are made from this.
  void publish(content next) { content_ = std::move(next); }
  [[nodiscard]] const content& in_force() const noexcept { return content_; }

  counters count;

 private:
  content content_;
  pick_source& picks_;
};

}  // namespace nearside::serve
