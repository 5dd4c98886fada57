// SPDX-License-Identifier: BSD-2-Clause
// The IPv6 rows as the program looks them up: `rows6`, asked once for each prefix length in use. Owned by client_table,
// on its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/dataplane/client_row.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

/// The first 64 bits of an IPv6 prefix, and its length.
using key6 = std::pair<std::uint64_t, std::uint8_t>;

struct key6_hash {
  std::size_t operator()(const key6& key) const noexcept { return hash_of_prefix6(key.first, key.second); }
};
using row_map6 = std::unordered_map<key6, row_value, key6_hash>;

class client_rows6 {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// As client_rows4. `quarantine`: how long an entry rests before it is another row's.
  client_rows6(const object& tables, const row_map6& rows, std::chrono::milliseconds quarantine);

  /// No rows: while nobody reads the table (CONFIG_ROWS_LOADING) and it is all zero.
  void clear();

  void put(const key6& row);
  void erase(const key6& row, time_point now);
  /// Entries whose rest is over become free, and what found no room is tried again.
  void settle(time_point now);

  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }
  /// How many rows found no room. While there are any, the program relies on rows of /64 alone.
  [[nodiscard]] std::size_t missing() const noexcept { return missing_.size(); }

 private:
  struct place {
    row6* entry = nullptr;
    row6* vacant = nullptr;
  };
  [[nodiscard]] place find(const key6& row) const noexcept;
  [[nodiscard]] bool may_use(std::uint8_t length) const noexcept;
  [[nodiscard]] bool set_entry(const key6& row);
  void rest(row6* entry, time_point now);
  void tell_lengths() const noexcept;
  void tell_missing() const noexcept;

  const object* tables_;
  const row_map6* rows_;
  std::chrono::milliseconds quarantine_;
  std::vector<std::size_t> with_length_;  // entries of each length
  std::size_t entries_ = 0;
  std::set<key6> missing_;
  std::deque<std::pair<time_point, row6*>> resting_;
  std::unordered_map<row6*, time_point> rests_until_;  // the last that counts: a row may have come back and gone again
  bool room_ = false;
};

}  // namespace nearside::dataplane
