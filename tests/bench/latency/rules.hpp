// SPDX-License-Identifier: BSD-2-Clause
// The rules that are compared: ours is the live scoreboard, the others are simple ones to see it beside. One object
// an ISP; single-threaded.
#pragma once

#include <memory>
#include <string_view>

#include "agent/score/sample.hpp"
#include "agent/score/settings.hpp"

namespace nearside::bench {

/// What a client is told.
struct told {
  std::size_t server = 0;
  double ttl = 20;  // seconds
};

class rule {
 public:
  virtual ~rule() = default;
  /// One sample; true: the next of this server should come soon.
  virtual bool add(std::size_t server, const score::sample& s) = 0;
  /// What a client that asks now is told; the rule's answer may differ from client to client.
  virtual told ask() = 0;
  /// Does the rule want this server looked at more often?
  [[nodiscard]] virtual bool in_use(std::size_t) const { return false; }
};

/// By name: ours, round-robin, nearest (the least smoothed RTT, at once), thresholds (the nearest at first, and the
/// next one when 10 probes in a row have failed, back after 20).
std::unique_ptr<rule> make_rule(std::string_view name, std::size_t servers, double ttl,
                                const score::latency_settings& latency, const score::health_settings& health);

}  // namespace nearside::bench
