// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/lease.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace nearside::dataplane {

namespace {

constexpr double second_ns = 1e9;
constexpr std::chrono::milliseconds pause{10};
// CONFIG_HZ of x86, Arm, RISC-V and Power kernels; Alpha's and MIPS's at the ends.
constexpr std::array<double, 10> usual_rates{24, 48, 100, 128, 250, 256, 300, 1000, 1024, 1200};

}  // namespace

void jiffies_calibrator::add(clock_reading reading) noexcept {
  const bool backwards = first_ && (reading.jiffies < last_.jiffies || reading.nanoseconds < last_.nanoseconds);
  if (!first_ || backwards) first_ = reading;
  last_ = reading;
}

bool jiffies_calibrator::ready() const noexcept {
  return first_ &&
         last_.nanoseconds - first_->nanoseconds >=
             static_cast<std::uint64_t>(std::chrono::nanoseconds(enough).count()) &&
         last_.jiffies > first_->jiffies;
}

double jiffies_calibrator::rate() const noexcept {
  if (!ready()) return 0;
  const double seconds = static_cast<double>(last_.nanoseconds - first_->nanoseconds) / second_ns;
  const auto counted = static_cast<double>(last_.jiffies - first_->jiffies);
  // The truth lies within one jiffy: the readings fall anywhere between two ticks.
  const double least = (counted - 1) / seconds;
  const double most = (counted + 1) / seconds;
  const double measured = counted / seconds;
  double nearest = 0;
  for (const double usual : usual_rates) {
    const bool fits = usual > least && usual < most;
    if (fits && std::abs(usual - measured) < std::abs(nearest - measured)) nearest = usual;
  }
  if (nearest > 0) return nearest;
  return least > 0 ? least : measured;
}

std::uint64_t jiffies_calibrator::jiffies(std::chrono::nanoseconds duration) const noexcept {
  if (!ready() || duration.count() <= 0) return 0;
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(static_cast<double>(duration.count()) / second_ns * rate()));
}

std::chrono::nanoseconds jiffies_calibrator::duration(std::uint64_t jiffies) const noexcept {
  if (!ready()) return std::chrono::nanoseconds::zero();
  return std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(jiffies) / rate() * second_ns));
}

bool apply_stale_rule(const object& tables, stale_rule rule) noexcept {
  const std::atomic_ref<__u32> flags(tables.config().flags);
  const __u32 before = rule == stale_rule::answer ? flags.fetch_or(CONFIG_STALE_ALL, std::memory_order_release)
                                                  : flags.fetch_and(~CONFIG_STALE_ALL, std::memory_order_release);
  return ((before & CONFIG_STALE_ALL) != 0) != (rule == stale_rule::answer);
}

result<lease> lease::calibrate(const object& tables, const std::optional<clock_reading>& earlier) {
  lease made;
  if (earlier) made.calibrator_.add(*earlier);
  for (int tries = 0; tries < 500; ++tries) {
    auto reading = tables.read_clock();
    if (!reading) return reading.error();
    made.calibrator_.add(*reading);
    if (made.calibrator_.ready()) return made;
    std::this_thread::sleep_for(pause);
  }
  return error{errc::system, "the kernel's jiffies do not advance"};
}

result<void> lease::renew(const object& tables, std::chrono::nanoseconds duration) const {
  const auto reading = tables.read_clock();
  if (!reading) return reading.error();
  std::atomic_ref<__u64>(tables.config().lease_deadline)
      .store(reading->jiffies + calibrator_.jiffies(duration), std::memory_order_release);
  return {};
}

void lease::end(const object& tables) const noexcept {
  std::atomic_ref<__u64>(tables.config().lease_deadline).store(0, std::memory_order_release);
}

result<std::chrono::nanoseconds> lease::remaining(const object& tables) const {
  const auto reading = tables.read_clock();
  if (!reading) return reading.error();
  const std::uint64_t deadline = std::atomic_ref<__u64>(tables.config().lease_deadline).load(std::memory_order_acquire);
  return deadline > reading->jiffies ? calibrator_.duration(deadline - reading->jiffies)
                                     : std::chrono::nanoseconds::zero();
}

}  // namespace nearside::dataplane
