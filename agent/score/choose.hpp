// SPDX-License-Identifier: BSD-2-Clause
// From candidates, criteria and time to the answer of a pool, with its trace. Pure: the only memory is the one that is
// passed in, which damps changes. docs/policies.md is this file in words.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/score/candidate.hpp"
#include "agent/score/settings.hpp"
#include "agent/score/shares.hpp"
#include "agent/score/takeover.hpp"
#include "agent/score/trace.hpp"

namespace nearside::score {

/// What a pool remembers of its earlier decisions, for one family. Owned by the scoreboard; copied for a trace.
struct family_memory {
  takeover latency;
  std::vector<bool> within;         // by address: in the rotation of `spread`
  std::vector<bool> over_rtt;       // by address: removed by max_rtt, until well below it again
  std::vector<bool> over_loss;      // the same for max_loss
  std::vector<std::size_t> follow;  // policy latency: the order of the others behind who serves
  std::optional<rendezvous> hash;   // made when it is first needed
};
struct pool_memory {
  family_memory families[2];
};

/// Once removed by max_rtt or max_loss, a server comes back below this part of it; one within `spread` leaves beyond
/// this many times the distance.
inline constexpr double return_below = 0.8;
inline constexpr double leave_beyond = 1.25;

/// Decides for both families at once, since each looks at the other where it has nobody. `candidates`: for each family
/// one for each address of the pool, in order. `why`: filled where given.
[[nodiscard]] dns::pool_choice choose(const pool& of, const std::vector<candidate> (&candidates)[2],
                                      const latency_settings& by, instant now, pool_memory& memory,
                                      trace* why = nullptr);

/// All servers of the pool in rotation with ttl_min: what the kernel may answer once the agent is gone
/// (edge.stale = "all"), whatever their state was.
[[nodiscard]] dns::pool_choice stale_choice(const pool& of);

}  // namespace nearside::score
