// SPDX-License-Identifier: BSD-2-Clause
// The nonces of one edge that were seen, by the address that asked for them: what proves an egress. Bounded, and short
// of memory: what proves no longer is forgotten. Pure; owned by the registry, one thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/mapping/table.hpp"

namespace nearside::mapping {

/// Nonces of one egress that count: a message may name one that was overtaken by the next on its way.
inline constexpr std::size_t most_nonces = 4;

class sightings {
 public:
  /// False: this counter is known from there, so somebody asks again for what was asked before; that proves nothing
  /// new. `most` egresses are kept, those of `counts` ago and less.
  bool add(const boost::asio::ip::address& egress, std::uint32_t counter, std::size_t most, std::chrono::seconds counts,
           instant now);
  /// When the nonce with this counter came from there, if it is one of the last few and no longer ago than `counts`.
  [[nodiscard]] std::optional<instant> find(const boost::asio::ip::address& egress, std::uint32_t counter,
                                            std::chrono::seconds counts, instant now) const;
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
  void clear() { all_ = std::vector<nonces>(); }

 private:
  struct nonces {
    boost::asio::ip::address egress;
    std::array<std::uint32_t, most_nonces> counters{};
    std::array<instant, most_nonces> seen{};  // the newest first
    std::uint8_t count = 0;
  };
  std::vector<nonces> all_;  // that seen last at the end
};

}  // namespace nearside::mapping
