// SPDX-License-Identifier: BSD-2-Clause
// All targets and pools: takes samples and operators' orders in, and keeps the choices of all pools decided. Owned by
// the daemon (one thread), by a replay and by the simulation alike; pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/score/administration.hpp"
#include "agent/score/choose.hpp"
#include "agent/score/estimate.hpp"
#include "agent/score/health.hpp"
#include "agent/score/response.hpp"

namespace nearside::score {

/// What is known of one target.
struct measured {
  explicit measured(const health_settings& settings) : state(settings) {}

  health state;
  estimate figures;
  response waiting;
  std::string reason;                   // of the newest failure; empty: the newest sample was ok
  std::optional<int> certificate_days;  // by the newest sample that saw a certificate
  bool remembered = false;              // no sample since the start
};

/// What outlives the process, or the configuration: by keys, so that it fits another scoreboard.
struct memory {
  struct of_target {
    standing state = standing::unknown;
    instant since;
    std::deque<instant> falls;
    std::optional<std::pair<duration, duration>> rtt;  // SRTT and RTTVAR
    std::optional<double> smoothed;                    // ms; with the two that follow
    double deviation = 0;
    double penalty = 0;
    std::string reason;
    /// All of it, for another scoreboard of this process.
    std::optional<measured> whole;
  };
  std::map<std::string, of_target> targets;
  std::map<std::string, pool_memory> pools;    // by key; for another scoreboard of this process
  std::map<std::string, std::string> serving;  // pool key and family ("...|0") -> server: policy latency
  std::map<std::string, order_of_operator> orders;
  std::map<std::string, instant> answers_end;  // server -> when the last answer with it has run out
};

class scoreboard {
 public:
  /// Decides all pools for `now`, from what is known: nothing, or `known`.
  scoreboard(std::vector<target> targets, std::vector<pool> pools, const latency_settings& by, instant now,
             const memory& known = {});
  scoreboard(const scoreboard&) = delete;
  scoreboard& operator=(const scoreboard&) = delete;
  ~scoreboard() = default;

  /// What something brought about.
  struct effect {
    std::vector<std::uint32_t> pools;                  // whose choice has changed
    std::vector<std::pair<std::size_t, bool>> in_use;  // targets that came into use, or left it
    bool settle_soon = false;                          // add(): the next result of this target should come soon
  };
  effect add(std::size_t target, const sample& s);
  /// Says it of all servers that match the pattern; their names are put into `servers`.
  effect administer(const std::string& pattern, const order_of_operator& said, instant now,
                    std::vector<std::string>& servers);
  /// Ends what operators said until now, and shortens the TTLs of what ends soon.
  effect expire(instant now);
  /// When expire() is to be called next: when an order ends, and every second while that is nearer than a TTL.
  [[nodiscard]] std::optional<instant> next_expiry(instant now) const;

  /// What all pools answer; changed in place by the calls above. Never null.
  [[nodiscard]] const std::shared_ptr<dns::choices>& choices() const noexcept { return choices_; }
  [[nodiscard]] bool in_use(std::size_t target) const noexcept { return uses_[target] > 0; }
  [[nodiscard]] const std::vector<target>& targets() const noexcept { return targets_; }
  [[nodiscard]] const std::vector<pool>& pools() const noexcept { return pools_; }
  [[nodiscard]] const measured& of(std::size_t target) const noexcept { return measured_[target]; }
  /// Of an address with these checks: down where one of them is, else unknown where one of them is, else up.
  [[nodiscard]] standing standing_of(const std::vector<std::size_t>& targets) const;
  [[nodiscard]] const administration& orders() const noexcept { return orders_; }
  /// The servers that are in some answer now.
  [[nodiscard]] std::set<std::string> answered() const;
  /// When the answers with this server that were given before the last change have run out; none: there were none.
  [[nodiscard]] std::optional<instant> answers_end(const std::string& server) const;

  /// Why the pool answers what it does.
  [[nodiscard]] trace explain(std::size_t pool, instant now) const;
  /// What is worth keeping over a restart.
  [[nodiscard]] memory remember(instant now) const;
  /// That, and all else that another scoreboard of this process can go on from: windows, counts in a row, evidence.
  [[nodiscard]] memory hand_over(instant now) const;

 private:
  void recall(const memory& known);
  void fill_candidates(const pool& of, instant now, std::vector<candidate> (&to)[2]) const;
  [[nodiscard]] candidate candidate_of(const pool_address& address, std::size_t index, const std::string& server,
                                       instant now) const;
  void decide(std::size_t pool, instant now, effect& brought);
  void use(const pool& of, const dns::pool_choice& choice, int change, effect& brought);
  static void note_answers(const pool& of, const dns::pool_choice& given, instant now,
                           std::map<std::string, instant>& ends);
  effect decide_for(const std::vector<std::string>& servers, instant now);

  std::vector<target> targets_;
  std::vector<pool> pools_;
  latency_settings by_;
  std::vector<measured> measured_;                  // by target
  std::vector<pool_memory> memories_;               // by pool
  std::vector<std::vector<std::size_t>> pools_of_;  // by target: the pools that look at it
  std::vector<std::uint32_t> uses_;                 // by target: how many pools answer with it alone
  administration orders_;
  std::map<std::string, instant> answers_end_;  // by server
  std::shared_ptr<dns::choices> choices_;
  duration longest_ttl_{};
  std::vector<candidate> scratch_[2];
};

}  // namespace nearside::score
