// SPDX-License-Identifier: BSD-2-Clause
// From an edge's report to what a mapped name answers: names of servers become records of the name's pool. Owned by the
// directory, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/config/mapped_name.hpp"
#include "agent/dns/choice.hpp"
#include "agent/mapping/registry.hpp"
#include "agent/score/settings.hpp"

namespace nearside::backbone {

class report_answers {
 public:
  report_answers(std::span<const config::mapped_name> names, std::span<const score::pool> pools);

  /// What the edge's report makes of the name. A family that it says nothing of, or that no server of ours is left in,
  /// has all records of the pool; nothing: that would be so of both.
  [[nodiscard]] std::optional<dns::pool_choice> of(const mapping::edge_state& edge, std::uint32_t mapped) const;
  void forget(mapping::edge_id edge) { found_.erase(edge); }

 private:
  struct name {
    std::size_t pool = 0;  // index into records_
    std::size_t addresses = 0;
    std::uint32_t ttl = 0;
  };
  /// By family: which record of the RRset a server has there.
  struct records {
    std::array<std::unordered_map<std::string, std::uint8_t>, 2> by_server;
    std::array<std::uint8_t, 2> count{};
  };
  static constexpr std::int32_t not_there = -1;
  using places = std::array<std::int32_t, 2>;  // by family: index into report::answers
  /// Where a report speaks of our names; found when it is first asked for, for not every edge's ever is.
  struct index {
    std::uint64_t sequence = 0;
    std::vector<std::pair<std::uint32_t, places>> by_name;  // by number
  };
  [[nodiscard]] const index& index_of(const mapping::edge_state& edge) const;
  [[nodiscard]] std::optional<dns::choice> choice_of(const mapping::report& from, std::int32_t answer,
                                                     std::size_t family, const name& of) const;

  std::vector<name> names_;  // by number
  std::vector<records> records_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  // by the name's text in lower case
  mutable std::unordered_map<mapping::edge_id, index> found_;
};

}  // namespace nearside::backbone
