// SPDX-License-Identifier: BSD-2-Clause
// Measures all targets of a configuration: runs their checks when they are due, and hands each sample on.
// Owned by the daemon, on its event loop, which alone calls it; one for each loaded configuration.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/measuring.hpp"
#include "agent/score/sample.hpp"

namespace nearside::probe {

/// Since the start; started = ok + lost + failed + local_faults + under_way.
struct prober_counters {
  std::uint64_t started = 0;
  std::uint64_t ok = 0;
  std::uint64_t lost = 0;
  std::uint64_t failed = 0;
  std::uint64_t local_faults = 0;  // checks that told nothing, for want of descriptors, rights, programs here
  std::uint64_t late = 0;          // started more than their interval after they were due
  std::uint64_t under_way = 0;     // now
};

class prober {
 public:
  /// Gets each sample with the index of its target; returns true while the target should settle soon: its next check
  /// then comes after `recheck`. It may call set_in_use() and stop().
  using sample_handler = std::function<bool(std::size_t target, score::sample found)>;

  prober(boost::asio::any_io_executor executor, std::shared_ptr<const config::measuring> plan,
         sample_handler on_sample);
  ~prober();
  prober(const prober&) = delete;
  prober& operator=(const prober&) = delete;
  prober(prober&&) = delete;
  prober& operator=(prober&&) = delete;

  /// The first checks are due within a second.
  void start();
  /// Ends all that is under way; no sample comes any more. Sockets and programs of the checks are gone once the event
  /// loop has run on.
  void stop();
  /// Whether the target's server is the one in use: then it is checked at `interval_in_use`. Without effect before
  /// start().
  void set_in_use(std::size_t target, bool in_use);

  [[nodiscard]] prober_counters counters() const;
  /// Checks that can never run as they are configured (a ca_file that is not there), a sentence each. Their targets
  /// count as local faults.
  [[nodiscard]] const std::vector<std::string>& problems() const;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace nearside::probe
