// SPDX-License-Identifier: BSD-2-Clause
// The maps `mapping4` and `mapping6`, where people see the rows: read as a whole, changed in batches. Used by
// client_table. The two families differ in their keys alone.
#pragma once

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/client_row.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

inline mapping_value value_of(const row_value& row) noexcept {
  mapping_value value{};
  value.site = row.site;
  std::copy(row.edge.ipv4.begin(), row.edge.ipv4.end(), value.edge4);
  std::copy(row.edge.ipv6.begin(), row.edge.ipv6.end(), value.edge6);
  return value;
}

inline row_value row_of(const mapping_value& value) noexcept {
  row_value row;
  row.site = value.site;
  std::copy(std::begin(value.edge4), std::end(value.edge4), row.edge.ipv4.begin());
  std::copy(std::begin(value.edge6), std::end(value.edge6), row.edge.ipv6.begin());
  row.shown = true;
  return row;
}

template <typename Key>
class shown_rows {
 public:
  shown_rows(const object& tables, map_id map) : tables_(&tables), map_(map) {}

  /// Calls for each row of the map.
  result<void> read(const std::function<void(const Key&, const mapping_value&)>& visit) const;
  /// Writes a row in the next flush().
  void put(const Key& key, const mapping_value& value) {
    keys_.push_back(key);
    values_.push_back(value);
  }
  void erase(const Key& key) { removed_.push_back(key); }
  /// Removes, then writes. The keys that the map has no room for come back. After an error nothing waits: what counts
  /// is put and erased again.
  result<std::vector<Key>> flush();

 private:
  static constexpr std::size_t batch = 8192;
  [[nodiscard]] error failed(const char* doing) const {
    return system_error(errno, "map " + std::string(map_label(map_)) + ": " + doing);
  }

  const object* tables_;
  map_id map_;
  std::vector<Key> keys_;
  std::vector<mapping_value> values_;
  std::vector<Key> removed_;
};

template <typename Key>
result<void> shown_rows<Key>::read(const std::function<void(const Key&, const mapping_value&)>& visit) const {
  std::vector<Key> keys(batch);
  std::vector<mapping_value> values(batch);
  std::uint32_t position = 0;
  for (bool first = true, last = false; !last; first = false) {
    std::uint32_t next = 0;
    auto count = static_cast<std::uint32_t>(batch);
    if (bpf_map_lookup_batch(tables_->fd(map_), first ? nullptr : &position, &next, keys.data(), values.data(), &count,
                             nullptr) != 0) {
      if (errno != ENOENT) return failed("dump");
      last = true;
    }
    for (std::uint32_t i = 0; i < count; ++i) visit(keys[i], values[i]);
    position = next;
  }
  return {};
}

template <typename Key>
result<std::vector<Key>> shown_rows<Key>::flush() {
  const auto removed = std::exchange(removed_, {});
  const auto keys = std::exchange(keys_, {});
  const auto values = std::exchange(values_, {});
  for (std::size_t done = 0; done < removed.size();) {
    auto count = static_cast<std::uint32_t>(std::min(batch, removed.size() - done));
    const std::uint32_t wanted = count;
    if (bpf_map_delete_batch(tables_->fd(map_), &removed[done], &count, nullptr) == 0) {
      done += wanted;
      continue;
    }
    // It was never there, or somebody else removed it (bpftool): just as well.
    if (errno != ENOENT) return failed("delete");
    done += count + 1;
  }
  std::vector<Key> refused;
  for (std::size_t done = 0; done < keys.size();) {
    auto count = static_cast<std::uint32_t>(std::min(batch, keys.size() - done));
    const std::uint32_t wanted = count;
    if (bpf_map_update_batch(tables_->fd(map_), &keys[done], &values[done], &count, nullptr) == 0) {
      done += wanted;
      continue;
    }
    if (errno != E2BIG && errno != ENOMEM) return failed("update");
    done += count;
    refused.push_back(keys[done]);
    ++done;
  }
  return refused;
}

}  // namespace nearside::dataplane
