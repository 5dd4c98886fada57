// SPDX-License-Identifier: BSD-2-Clause
// Clients of one ISP, probes, and a rule between them, over all of a world: what requests cost above an oracle.
#pragma once

#include <string>
#include <vector>

#include "latency/rules.hpp"
#include "latency/world.hpp"

namespace nearside::bench {

/// Seconds.
struct probe_plan {
  double interval = 5;
  double interval_in_use = 0.7;
  double timeout = 0.5;
  double recheck = 0.2;
};

struct simulation_settings {
  std::string rule = "ours";
  double ttl = 20;
  std::size_t clients = 200;  // of each ISP; each asks anew the moment its answer has run out
  probe_plan plan;
  score::latency_settings latency;
  score::health_settings health;
};

struct figures {
  double excess_ms = 0;         // a request above an oracle that always takes the best server
  double changes_an_hour = 0;   // of the server that an ISP is told
  double needless_an_hour = 0;  // of these, those to a server that was worse by more than 1 ms for the next minute
  std::vector<double> leave_s;  // from a death until 99 % of the clients on it had left; one an ISP and death
};

/// Runs all ISPs of the world (made anew from its settings, so that each rule sees the same one).
[[nodiscard]] figures simulate(const world_settings& in, const simulation_settings& by);

}  // namespace nearside::bench
