// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/placement.hpp"

#include <sys/random.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace nearside::dataplane {

namespace {

// A set that has names of a group, and so could stay with it.
struct claim {
  std::uint32_t set;
  std::uint32_t group;
  std::size_t count;
  bool same;  // it was filled for this group
};

// A set stays with the group whose answers it has, else with the one that has most of its names.
bool is_better(const claim& a, const claim& b) {
  if (a.same != b.same) return a.same;
  if (a.count != b.count) return a.count > b.count;
  return std::pair(a.set, a.group) < std::pair(b.set, b.group);
}

std::vector<claim> claims_of(const grouping& plan, const name_table& names, const answer_sets& sets) {
  std::unordered_map<std::uint64_t, std::size_t> counted;
  for (const auto& [key, entry] : names.all()) {
    if (entry.group != no_set && entry.set != no_set) ++counted[std::uint64_t{entry.set} << 32 | entry.group];
  }
  std::vector<claim> claims;
  claims.reserve(counted.size());
  for (const auto& [pair, count] : counted) {
    const auto set = static_cast<std::uint32_t>(pair >> 32);
    const auto group = static_cast<std::uint32_t>(pair);
    claims.push_back({set, group, count, sets.signature(set) == plan.groups[group].signature});
  }
  std::sort(claims.begin(), claims.end(), is_better);
  return claims;
}

// Which names have the hash of a name before them.
std::vector<bool> repeated_hashes(const std::vector<wanted_name>& names) {
  std::unordered_set<name_key, name_table::key_hash, name_table::key_equal> seen;
  seen.reserve(names.size());
  std::vector<bool> repeated(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) repeated[i] = !seen.insert(names[i].key).second;
  return repeated;
}

void drop(std::vector<wanted_name>& names, const std::vector<bool>& dropped) {
  std::size_t keep = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (dropped[i]) continue;
    if (keep != i) names[keep] = std::move(names[i]);
    ++keep;
  }
  names.resize(keep);
}

}  // namespace

result<grouping> names_without_collisions(const dns::zone_set& zones, std::span<const site_rule> rules,
                                          const object& tables, bool none_installed, publish_stats& stats) {
  for (int tries = 0;; ++tries) {
    grouping plan = group_names(zones, tables.config().hash_key, rules);
    const auto repeated = repeated_hashes(plan.names);
    const auto collisions = static_cast<std::size_t>(std::count(repeated.begin(), repeated.end(), true));
    if (collisions == 0) return plan;
    // With another key the same two names will hardly meet again; but it can only be changed while no name is
    // installed.
    if (none_installed && tries < 3) {
      if (::getrandom(tables.config().hash_key, sizeof tables.config().hash_key, 0) < 0) {
        return system_error(errno, "a random key for the names");
      }
      continue;
    }
    stats.left_to_userland += collisions;
    stats.notes.push_back(plural(collisions, "name") + " with the hash of another name");
    drop(plan.names, repeated);
    return plan;
  }
}

std::vector<bool> admit(grouping& plan, name_table& names, const object& tables, publish_stats& stats) {
  for (auto& [key, entry] : names.all()) entry.group = no_set;
  std::vector<bool> needed(plan.groups.size());
  std::size_t short_room = tables.capacity(map_id::names_short);
  std::size_t long_room = tables.capacity(map_id::names_long);
  const auto room = [&](const wanted_name& w) -> std::size_t& {
    return w.wire.size() <= SHORT_QNAME ? short_room : long_room;
  };
  for (wanted_name& wanted : plan.names) {
    const auto entry = names.all().find(wanted.key);
    wanted.admitted = entry != names.all().end() && entry->second.wire == wanted.wire;
    if (!wanted.admitted) continue;
    entry->second.group = wanted.group;
    needed[wanted.group] = true;
    --room(wanted);
  }
  std::size_t no_room = 0;
  for (wanted_name& wanted : plan.names) {
    if (wanted.admitted) continue;
    if (room(wanted) == 0) {
      ++no_room;
      continue;
    }
    --room(wanted);
    wanted.admitted = true;
    needed[wanted.group] = true;
  }
  stats.left_to_userland += no_room;
  if (no_room > 0) stats.notes.push_back(plural(no_room, "name") + ": the name maps are full");
  return needed;
}

std::vector<assignment> bind_groups(const grouping& plan, const std::vector<bool>& needed, const name_table& names,
                                    answer_sets& sets) {
  std::vector<assignment> to(plan.groups.size());
  std::vector<bool> taken(sets.count());
  for (const claim& c : claims_of(plan, names, sets)) {
    if (taken[c.set] || to[c.group].set != no_set) continue;
    taken[c.set] = true;
    to[c.group].set = c.set;
    to[c.group].in_place = true;
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (needed[i] && to[i].set == no_set) to[i].set = sets.take_free().value_or(no_set);
  }
  return to;
}

}  // namespace nearside::dataplane
