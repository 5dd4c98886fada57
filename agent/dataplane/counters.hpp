// SPDX-License-Identifier: BSD-2-Clause
// The program's counters: sums over the CPUs, and for each number its label (for metrics and JSON) and a sentence for
// people.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

/// Which side of the equation a counter is on. `side`: counted beside it.
enum class counter_group { answered, referred, passed, dropped, side };
[[nodiscard]] std::string_view group_label(counter_group group) noexcept;

struct counter_description {
  std::uint32_t number;  // enum verdict or enum side_counter
  counter_group group;
  std::string_view label;     // snake_case, never changes
  std::string_view sentence;  // what it counts
};

/// All counters in use, by number.
[[nodiscard]] std::span<const counter_description> counter_descriptions() noexcept;
/// nullptr: no such number.
[[nodiscard]] const counter_description* describe_counter(std::uint32_t number) noexcept;
/// Label of a verdict, "unknown" for a number that is none.
[[nodiscard]] std::string_view verdict_label(std::uint32_t verdict) noexcept;

/// One reading: packets by counter number.
struct counter_values {
  std::array<std::uint64_t, COUNTER_COUNT> packets{};

  [[nodiscard]] std::uint64_t total(counter_group group) const noexcept;
  [[nodiscard]] std::uint64_t answered() const noexcept { return total(counter_group::answered); }
  [[nodiscard]] std::uint64_t referred() const noexcept { return total(counter_group::referred); }
  [[nodiscard]] std::uint64_t passed() const noexcept { return total(counter_group::passed); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return total(counter_group::dropped); }
  /// received = answered + referred + passed + dropped
  [[nodiscard]] std::uint64_t received() const noexcept { return answered() + referred() + passed() + dropped(); }
  [[nodiscard]] counter_values since(const counter_values& earlier) const noexcept;
};

/// Sums over all CPUs. The CPUs go on counting meanwhile; each counter is exact for some instant of the call.
result<counter_values> read_counters(const object& tables);

}  // namespace nearside::dataplane
