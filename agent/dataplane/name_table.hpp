// SPDX-License-Identifier: BSD-2-Clause
// The installed names: a mirror of the maps `names_short` and `names_long`, and changes to both in batches. Owned by
// the publisher.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/name_row.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

inline constexpr std::uint32_t no_set = UINT32_MAX;

struct name_entry {
  std::string wire;  // lower-cased
  std::uint32_t set = no_set;
  std::uint8_t zone_octets = 0;
  /// Which group of the publish() under way has this name; no_set: none, it goes.
  std::uint32_t group = no_set;
};

class name_table {
 public:
  struct key_hash {
    std::size_t operator()(const name_key& key) const noexcept { return key.hash[0]; }
  };
  struct key_equal {
    bool operator()(const name_key& a, const name_key& b) const noexcept {
      return a.hash[0] == b.hash[0] && a.hash[1] == b.hash[1];
    }
  };
  using entries = std::unordered_map<name_key, name_entry, key_hash, key_equal>;

  explicit name_table(const object& tables) : tables_(&tables) {}

  /// Reads both maps; forgets what it knew.
  result<void> adopt();

  [[nodiscard]] entries& all() noexcept { return entries_; }
  [[nodiscard]] const entries& all() const noexcept { return entries_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  /// Installs or rebinds one name in the next flush().
  void put(const name_key& key, std::string wire, std::uint32_t set, std::uint8_t zone_octets);
  /// Removes one name in the next flush(). The mirror forgets it at once.
  void remove(entries::iterator entry);
  /// Writes what is waiting. Names that the kernel had no room for are taken out of the mirror and counted in
  /// `refused`.
  result<void> flush(std::size_t& refused);

 private:
  struct pending {
    std::vector<name_key> keys;
    std::vector<std::uint8_t> values;  // as many name_short or name_long
    std::vector<name_key> removed;
  };
  [[nodiscard]] pending& pending_of(std::size_t octets) noexcept { return octets <= SHORT_QNAME ? short_ : long_; }
  result<void> update(map_id map, std::size_t value_size, pending& waiting, std::size_t& refused);
  result<void> erase(map_id map, pending& waiting);

  const object* tables_;
  entries entries_;
  pending short_;
  pending long_;
};

}  // namespace nearside::dataplane
