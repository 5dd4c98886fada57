// SPDX-License-Identifier: BSD-2-Clause
// The rule of the policy `latency`: who serves goes on serving until another one's gains over time add up. Owned by the
// pool's memory; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "agent/score/settings.hpp"

namespace nearside::score {

/// A candidate as this rule sees it.
struct contender {
  std::size_t address = 0;  // index into pool::family::addresses
  double expected = 0;      // ms that a client would wait, its cost included
};

class takeover {
 public:
  /// Decides who serves. Until the first results of all have come (`coming` is then no longer true) nobody has earned
  /// his place, and the best one serves at once. Contenders are those that are eligible; none: nobody serves.
  std::optional<std::size_t> decide(std::span<const contender> contenders, bool coming, instant now,
                                    const latency_settings& by);

  [[nodiscard]] std::optional<std::size_t> serving() const noexcept { return serving_; }
  /// ms x s that speak for the address.
  [[nodiscard]] double evidence(std::size_t address) const noexcept {
    return address < evidence_.size() ? evidence_[address] : 0;
  }
  /// Until the evidence for the nearest contender is complete, if gains stay as they are; none: nobody is half-way.
  [[nodiscard]] std::optional<duration> nearest(std::span<const contender> contenders,
                                                const latency_settings& by) const;
  void restore(std::size_t serving) {
    serving_ = serving;
    settled_ = true;
  }

 private:
  void serve(std::size_t address);

  std::optional<std::size_t> serving_;
  bool settled_ = false;          // the first results of all have come
  std::vector<double> evidence_;  // by address
  std::vector<double> before_;    // the same at the last decision
  std::optional<instant> decided_at_;
};

}  // namespace nearside::score
