// SPDX-License-Identifier: BSD-2-Clause
// Cheap random numbers for the choice among an RRset's alternatives. Not for secrets. Passed by reference, so that
// a test knows what comes.
#pragma once

#include <cstdint>

namespace nearside::serve {

/// SplitMix64 (Steele, Lea, Flood 2014): one addition and two multiplications a number, any seed is good.
class pick_source {
 public:
  explicit pick_source(std::uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] std::uint32_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return static_cast<std::uint32_t>((mixed ^ (mixed >> 31)) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace nearside::serve
