// SPDX-License-Identifier: BSD-2-Clause
// When which target is checked: staggered, jittered, bounded in number and in rate to one address. Time and randomness
// come in; no sockets, no timers. Owned by the prober; one thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "agent/config/measuring.hpp"
#include "agent/score/sample.hpp"

namespace nearside::probe {

class schedule {
 public:
  using instant = score::instant;
  using duration = score::duration;
  /// Uniform in [0, 1).
  using random_source = std::function<double()>;

  /// What a target's check says about time.
  struct pace {
    boost::asio::ip::address address;
    duration interval{};
    duration interval_in_use{};
    duration recheck{};
  };

  /// All targets are due within the first second, or within their interval where that is shorter; their second checks
  /// are spread over an interval.
  schedule(const config::probe_settings& bounds, std::vector<pace> targets, random_source random, instant now);

  /// A target whose check starts now, in the order in which they were due; nothing: none may start yet. Call until
  /// there is nothing.
  [[nodiscard]] std::optional<std::size_t> next(instant now);
  /// When next() will have one; nothing: not before a finished().
  [[nodiscard]] std::optional<instant> wake() const;
  /// The check that next() gave is over. `settle_soon`: the next one comes after `recheck`, if that is sooner.
  void finished(std::size_t target, instant now, bool settle_soon);
  /// The target's server is in use, or no more: the shorter interval counts from its last start.
  void set_in_use(std::size_t target, bool in_use, instant now);

  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }
  /// Checks that started more than their interval after they were due.
  [[nodiscard]] std::uint64_t late() const noexcept { return late_; }

 private:
  struct entry {
    pace steps;
    std::size_t host = 0;
    instant due;
    instant started;
    duration second{};         // from the first start to the second
    std::uint32_t starts = 0;  // up to 2
    bool in_use = false;
    bool running = false;
  };
  /// The targets of one address, which share its rate.
  struct host {
    std::set<std::pair<instant, std::size_t>> due;
    instant allowed;  // no start before
  };

  [[nodiscard]] duration interval(const entry& one) const;
  [[nodiscard]] duration jittered(duration wait);
  [[nodiscard]] instant key(const host& one) const { return std::max(one.due.begin()->first, one.allowed); }
  void put(std::size_t target);
  void take(std::size_t target);

  config::probe_settings bounds_;
  duration spacing_;  // between two starts to one address
  random_source random_;
  std::vector<entry> entries_;
  std::vector<host> hosts_;
  std::set<std::pair<instant, std::size_t>> queue_;  // hosts with something due, by when they may start it
  std::size_t under_way_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace nearside::probe
