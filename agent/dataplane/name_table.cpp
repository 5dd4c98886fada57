// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/name_table.hpp"

#include <bpf/bpf.h>

#include <algorithm>

#include "agent/dataplane/tables.hpp"

namespace nearside::dataplane {

namespace {

constexpr std::size_t batch = 8192;

error map_error(map_id map, std::string_view doing) {
  return system_error(errno, "map " + std::string(map_label(map)) + ": " + std::string(doing));
}

template <typename Value>
void append_value(std::vector<std::uint8_t>& values, const name_key& key, std::string_view wire, std::uint32_t set,
                  std::uint8_t zone_octets) {
  Value value{};
  value.binding = bind_name(key, set, zone_octets);
  std::memcpy(value.name, wire.data(), wire.size());
  const auto* const octets = reinterpret_cast<const std::uint8_t*>(&value);
  values.insert(values.end(), octets, octets + sizeof value);
}

}  // namespace

result<void> name_table::adopt() {
  entries_.clear();
  short_ = {};
  long_ = {};
  return for_each_name(*tables_, [this](installed_name&& row) {
    const auto wire = row.owner.wire();
    name_entry entry;
    entry.wire.assign(wire.begin(), wire.end());
    entry.set = row.set;
    entry.zone_octets = row.zone_octets;
    entries_.emplace(row.key, std::move(entry));
  });
}

void name_table::put(const name_key& key, std::string wire, std::uint32_t set, std::uint8_t zone_octets) {
  pending& waiting = pending_of(wire.size());
  waiting.keys.push_back(key);
  if (wire.size() <= SHORT_QNAME) {
    append_value<name_short>(waiting.values, key, wire, set, zone_octets);
  } else {
    append_value<name_long>(waiting.values, key, wire, set, zone_octets);
  }
  const auto [entry, added] = entries_.try_emplace(key);
  if (added) entry->second.wire = std::move(wire);
  entry->second.set = set;
  entry->second.zone_octets = zone_octets;
}

void name_table::remove(entries::iterator entry) {
  pending& waiting = pending_of(entry->second.wire.size());
  waiting.removed.push_back(entry->first);
  entries_.erase(entry);
}

result<void> name_table::flush(std::size_t& refused) {
  if (auto done = erase(map_id::names_short, short_); !done) return done;
  if (auto done = erase(map_id::names_long, long_); !done) return done;
  if (auto done = update(map_id::names_short, sizeof(name_short), short_, refused); !done) return done;
  return update(map_id::names_long, sizeof(name_long), long_, refused);
}

result<void> name_table::update(map_id map, std::size_t value_size, pending& waiting, std::size_t& refused) {
  std::size_t done = 0;
  while (done < waiting.keys.size()) {
    auto count = static_cast<std::uint32_t>(std::min(batch, waiting.keys.size() - done));
    const std::uint32_t wanted = count;
    if (bpf_map_update_batch(tables_->fd(map), &waiting.keys[done], &waiting.values[done * value_size], &count,
                             nullptr) == 0) {
      done += wanted;
      continue;
    }
    if (errno != E2BIG && errno != ENOMEM) return map_error(map, "update");
    // `count` of them are written; the next one found the map full and stays with userland.
    done += count;
    entries_.erase(waiting.keys[done]);
    ++refused;
    ++done;
  }
  waiting.keys.clear();
  waiting.values.clear();
  return {};
}

result<void> name_table::erase(map_id map, pending& waiting) {
  std::size_t done = 0;
  while (done < waiting.removed.size()) {
    auto count = static_cast<std::uint32_t>(std::min(batch, waiting.removed.size() - done));
    const std::uint32_t wanted = count;
    if (bpf_map_delete_batch(tables_->fd(map), &waiting.removed[done], &count, nullptr) == 0) {
      done += wanted;
      continue;
    }
    // Somebody else removed it (bpftool): just as well.
    if (errno != ENOENT) return map_error(map, "delete");
    done += count + 1;
  }
  waiting.removed.clear();
  return {};
}

}  // namespace nearside::dataplane
