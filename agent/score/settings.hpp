// SPDX-License-Identifier: BSD-2-Clause
// What the operator decides about measuring and choosing, with the defaults; docs/policies.md has a sentence and the
// formula for each. Plain values: filled by the room `config`, then only read.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/score/sample.hpp"

namespace nearside::score {

using namespace std::chrono_literals;

/// When a target counts as up and as down.
struct health_settings {
  std::uint32_t fall = 2;         // failures in a row that make it down
  std::uint32_t rise = 4;         // successes in a row that make it up again, after its first fall
  std::uint32_t rise_growth = 3;  // each further fall within `flap_window` multiplies that
  std::uint32_t rise_most = 36;   // but never beyond this
  duration flap_window = 30min;

  friend bool operator==(const health_settings&, const health_settings&) = default;
};

/// The rule of the policy `latency`, and the figures that all policies by response time use.
struct latency_settings {
  duration smoothing = 20s;          // time constant of the smoothed first-byte time
  double clip_deviations = 4;        // a value further away is an outlier; the second in a row is believed
  duration margin = 300us;           // a gain up to this is no gain
  double evidence = 500;             // ms x s: a candidate takes over when its gains over time add up to this
  duration lost_penalty = 500ms;     // what a lost probe costs
  duration failed_penalty = 3000ms;  // what an answer that is an error costs
  duration penalty_smoothing = 30s;  // time constant of the penalties
  double first_loss_share = 0.1;     // a loss alone, with none before it, costs this part of it

  friend bool operator==(const latency_settings&, const latency_settings&) = default;
};

// The words of each, as they are written in a configuration, are by its number.
enum class policy : std::uint8_t { all, latency, failover, weighted, spread, hash };
inline constexpr std::array<std::string_view, 6> policy_words{"all",      "latency", "failover",
                                                              "weighted", "spread",  "hash"};
[[nodiscard]] constexpr std::string_view text_of(policy how) noexcept {
  return policy_words[static_cast<std::size_t>(how)];
}
enum class all_down_rule : std::uint8_t { answer_all, servfail, fallback };
inline constexpr std::array<std::string_view, 3> all_down_words{"answer-all", "servfail", "fallback"};
/// What a server counts as before its first result.
enum class unknown_rule : std::uint8_t { last, up, down };  // last: eligible only when nothing is up
inline constexpr std::array<std::string_view, 3> unknown_words{"last", "up", "down"};

/// How a name is balanced.
struct criteria {
  policy how = policy::all;
  std::size_t addresses = 0;            // in an answer; 0: all that are eligible for `all` and `spread`, else 1
  std::size_t minimum_healthy = 1;      // with fewer the rule for all down is followed
  std::optional<duration> maximum_rtt;  // of the SRTT
  std::optional<double> maximum_loss;   // 0 to 1, over the window
  std::optional<double> maximum_cost;   // dearer servers serve only when no other can
  std::vector<std::string> sites;       // the preferred ones, the best first; others come after them
  double within_percent = 10;           // spread: how much slower than the best a server may be,
  duration within = duration::zero();   // or this much, whichever is more
  all_down_rule all_down = all_down_rule::answer_all;
  unknown_rule unknown = unknown_rule::last;
  std::chrono::seconds ttl = 20s;     // while nothing is pending
  std::chrono::seconds ttl_min = 3s;  // while a change may be near; at most ttl

  friend bool operator==(const criteria&, const criteria&) = default;
};

/// One server in a pool.
struct member {
  std::string server;          // its name: the [[server]]'s, or the address where it has none
  std::uint32_t weight = 1;    // share of the answers it stands first in; 0: only when all others are out
  std::uint32_t priority = 1;  // the lowest number that has an eligible server serves
  double cost = 0;             // ms that a server must be faster by to be worth its price
  std::string site;

  friend bool operator==(const member&, const member&) = default;
};

/// One address of a pool, in the order of the RRset's rdatas.
struct pool_address {
  std::size_t member = 0;            // index into pool::members
  std::vector<std::size_t> targets;  // all must be up; the first one's figures count. None: always up
};

/// Names with the same servers and criteria share a pool: what is decided for one is decided for all.
struct pool {
  std::string key;    // equal for equal pools, also after a restart
  std::string label;  // for people: the first name that uses it, "www.lb.example.com."
  criteria rules;
  std::vector<member> members;
  struct family {
    std::vector<pool_address> addresses;
    std::size_t fallbacks = 0;  // rdatas that follow those of `addresses`: answered when all is down
  };
  std::array<family, 2> families;  // 0: IPv4, 1: IPv6
};

/// One thing that is measured: a check on one address and port. Shared by all pools that ask for the same.
struct target {
  std::string key;     // equal for equal checks of the same address, also after a restart
  std::string label;   // for people and recordings: "fra1", "fra1/ipv6", "fra1/ipv4/web"
  std::string server;  // the server's name
  std::string check;   // the check's name
  health_settings health;
  std::chrono::milliseconds interval = 5s;  // of its checks, while it serves nobody; for the TTL
};

}  // namespace nearside::score
