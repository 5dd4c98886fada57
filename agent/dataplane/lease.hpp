// SPDX-License-Identifier: BSD-2-Clause
// The lease: while the agent keeps moving config.lease_deadline, what is published counts as true. It is in jiffies of
// bpf_jiffies64(), since that clock costs the program nothing. Used by the agent's control thread; `status` reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

/// Finds the kernel's jiffies per second from two or more readings; no I/O. Over a short time the count is only known
/// to within one jiffy at each end, so the rate is taken from those that kernels are built with (CONFIG_HZ), if one
/// fits.
class jiffies_calibrator {
 public:
  static constexpr std::chrono::milliseconds enough{250};

  /// Readings in the order they were taken; one that runs backwards starts anew.
  void add(clock_reading reading) noexcept;
  /// True when the readings span `enough` time and the jiffies moved.
  [[nodiscard]] bool ready() const noexcept;
  /// Jiffies per second; never more than the true rate by more than the reading error. 0 when not ready.
  [[nodiscard]] double rate() const noexcept;
  /// `duration` in jiffies, rounded down: a lease must rather be short than long. At least 1 when ready.
  [[nodiscard]] std::uint64_t jiffies(std::chrono::nanoseconds duration) const noexcept;
  /// `jiffies` as time; zero when not ready.
  [[nodiscard]] std::chrono::nanoseconds duration(std::uint64_t jiffies) const noexcept;

 private:
  std::optional<clock_reading> first_;
  clock_reading last_{};
};

/// What the program does past a lease that was granted. Before the first one it passes everything in any case.
enum class stale_rule {
  pass,    ///< pass everything up
  answer,  ///< answer on: from `stale_answers` where they have something, else what is published
};
/// Sets the flag in `config`; true when that changed it.
bool apply_stale_rule(const object& tables, stale_rule rule) noexcept;

/// The lease of one object.
class lease {
 public:
  /// Reads the kernel's clock over jiffies_calibrator::enough; blocks for what is left of that time since `earlier`.
  static result<lease> calibrate(const object& tables, const std::optional<clock_reading>& earlier = {});

  /// The program answers for `duration` from now.
  result<void> renew(const object& tables, std::chrono::nanoseconds duration) const;
  /// From now on everything is passed up; for an agent that cannot serve what it published.
  void end(const object& tables) const noexcept;
  /// What is left of the lease; zero: it has run out and the program passes everything.
  [[nodiscard]] result<std::chrono::nanoseconds> remaining(const object& tables) const;
  [[nodiscard]] double jiffies_per_second() const noexcept { return calibrator_.rate(); }

 private:
  jiffies_calibrator calibrator_;
};

}  // namespace nearside::dataplane
