// SPDX-License-Identifier: BSD-2-Clause
// Choices for tests, said in words: rotation(3), weighted({1, 2, 5}).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "agent/dns/choice.hpp"

namespace nearside::tests {

inline dns::choice nodata() { return {}; }
inline dns::choice servfail() { return {dns::choice::kind::servfail, false, 0, {}}; }

/// One alternative with these records in this order.
inline dns::choice just(std::vector<std::uint8_t> order, std::uint32_t ttl = 20) {
  return {dns::choice::kind::answer, false, ttl, {{std::move(order), 0xffff, 0}}};
}

/// All of `records`, each alternative beginning with another one.
inline dns::choice rotation(std::uint8_t records, std::uint32_t ttl = 20) {
  dns::choice all{dns::choice::kind::answer, false, ttl, {}};
  for (std::uint8_t first = 0; first < records; ++first) {
    std::vector<std::uint8_t> order;
    for (std::uint8_t i = 0; i < records; ++i) order.push_back(static_cast<std::uint8_t>((first + i) % records));
    all.alternatives.push_back({std::move(order), 0xffff, 0});
  }
  return all;
}

/// One record an answer, by weight. The alias table by Vose's method (1991), the tests' own.
inline dns::choice weighted(const std::vector<double>& weights, std::uint32_t ttl = 20) {
  dns::choice all{dns::choice::kind::answer, false, ttl, {}};
  double sum = 0;
  for (const double weight : weights) sum += weight;
  std::vector<double> columns;
  std::vector<std::size_t> small, large;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    all.alternatives.push_back({{static_cast<std::uint8_t>(i)}, 0xffff, static_cast<std::uint8_t>(i)});
    columns.push_back(weights[i] * static_cast<double>(weights.size()) / sum);
    (columns.back() < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const auto less = small.back(), more = large.back();
    small.pop_back();
    large.pop_back();
    // At least one draw in 65,536 stays: a share cannot say none.
    const auto kept = static_cast<std::uint32_t>(columns[less] * 65536);
    all.alternatives[less].share = static_cast<std::uint16_t>(kept > 0 ? kept - 1 : 0);
    all.alternatives[less].other = static_cast<std::uint8_t>(more);
    columns[more] -= 1 - columns[less];
    (columns[more] < 1 ? small : large).push_back(more);
  }
  return all;
}

inline dns::choice by_client(dns::choice from) {
  from.by_client = true;
  return from;
}

}  // namespace nearside::tests
