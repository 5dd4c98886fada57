// SPDX-License-Identifier: BSD-2-Clause
// The IPv4 rows as the program looks them up: `sites4`, where rows of up to /24 are spread out, and `rows4`, the
// addresses inside longer ones. Each word is written by one store. Owned by client_table, on its thread.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "agent/dataplane/block_set.hpp"
#include "agent/dataplane/client_row.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

/// An IPv4 prefix as one number: the address, then eight bits of length.
[[nodiscard]] constexpr std::uint64_t key_of4(std::uint32_t address, std::uint8_t length) noexcept {
  return std::uint64_t{address} << 8 | length;
}

struct key4_hash {
  std::size_t operator()(std::uint64_t key) const noexcept { return key * 0x9e3779b97f4a7c15u >> 8; }
};
using row_map4 = std::unordered_map<std::uint64_t, row_value, key4_hash>;

class client_rows4 {
 public:
  /// `rows`: all rows by key_of4(), as they are to be; whoever owns them changes them first. Both must outlive it. What
  /// the tables hold is left alone until clear().
  client_rows4(const object& tables, const row_map4& rows);

  /// No rows: before the first put(), while nobody reads the tables (CONFIG_ROWS_LOADING) and these are all zero.
  void clear();

  /// This row is new, or its site is.
  void put(std::uint32_t address, std::uint8_t length);
  /// This row is gone.
  void erase(std::uint32_t address, std::uint8_t length);
  /// Tries again for what found no room; a bounded piece of work.
  void settle();

  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }
  /// How many /24 pass to the agent because rows in them found no room.
  [[nodiscard]] std::size_t crowded() const noexcept { return crowded_.size(); }

 private:
  struct place {
    row4* entry = nullptr;   // with this address; nullptr: none
    row4* vacant = nullptr;  // where it could be; nullptr: nowhere
  };
  [[nodiscard]] place find(std::uint32_t address) const noexcept;
  /// The word of the longest row that covers the prefix and is of `from` up to `below` bits; 0: none.
  [[nodiscard]] std::uint32_t covering(std::uint32_t address, std::uint8_t from, std::uint8_t below) const;
  [[nodiscard]] bool set_entry(std::uint32_t address, std::uint32_t word);
  void remove_entry(std::uint32_t address);
  void crowd(std::uint32_t block);
  bool rebuild(std::uint32_t block);
  void put_inside(std::uint32_t address, std::uint8_t length, std::uint32_t word);
  void erase_inside(std::uint32_t address, std::uint8_t length);

  const object* tables_;
  const row_map4* rows_;
  std::span<std::uint32_t> sites4_;  // the map's memory
  // Entries in each /24, less one, where its word has SITES4_LONGER; empty: the maps have no room for a mapping.
  std::vector<std::uint8_t> inside_;
  std::size_t entries_ = 0;
  block_set crowded_;
  std::uint32_t tried_ = 0;  // where settle() goes on
  bool room_ = false;        // something has become free since
};

}  // namespace nearside::dataplane
