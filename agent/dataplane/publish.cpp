// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/publish.hpp"

#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "agent/dataplane/grouping.hpp"
#include "agent/dataplane/image.hpp"
#include "agent/dataplane/name_table.hpp"
#include "agent/dataplane/slot_pool.hpp"
#include "agent/dataplane/tables.hpp"

namespace nearside::dataplane {

namespace {

using time_point = std::chrono::steady_clock::time_point;

// Returns when every run of the program that began before has ended: MEMBARRIER_CMD_GLOBAL waits for an RCU grace
// period, and XDP programs run inside one. Kernels with nohz_full CPUs refuse it; then a time far above any run's has
// to do.
void wait_for_running_programs() {
  if (::syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0u, 0) != 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

bool is_empty(const answer_ref& ref) { return ref.alternatives == 0; }

bool equal(const answer_ref& a, const answer_ref& b) {
  return a.slot == b.slot && a.generation == b.generation && a.alternatives == b.alternatives && a.flags == b.flags;
}

std::string plural(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace

struct publisher::state {
  struct set_state {
    bool used = false;
    std::string signature;  // of the group that it was filled for; empty after adopt()
  };

  using column_images = std::shared_ptr<const std::vector<image>>;
  struct change {
    std::uint32_t column;
    column_images wanted;
  };
  using nodata_cache = std::unordered_map<const dns::zone*, column_images>;

  // What the plan says of one group.
  struct assignment {
    std::uint32_t set = NO_SET;
    bool in_place = false;        // the set has names already
    std::vector<change> changes;  // what is published for such a set differs in these columns
  };

  state(const object& t, time_source n)
      : tables(t),
        now(std::move(n)),
        names(t),
        small(t.slots_small(), 0, quarantine),
        large(t.slots_large(), ANSWER_LARGE, quarantine),
        sets(t.sets()) {}

  const object& tables;
  time_source now;
  name_table names;
  slot_pool small;
  slot_pool large;
  std::vector<set_state> sets;
  std::vector<std::uint32_t> free_sets;  // the lowest last

  result<void> adopt();
  void adopt_set(std::uint32_t set);

  result<grouping> plan_names(const dns::zone_set& zones, publish_stats& stats);
  std::vector<bool> admit(grouping& plan, publish_stats& stats);
  void bind_groups(const grouping& plan, const std::vector<bool>& needed, std::vector<assignment>& to);
  std::vector<change> changes_of(const dns::zone_set& zones, const name_group& group, std::uint32_t set,
                                 nodata_cache& nodata) const;
  void apply(std::uint32_t set, const std::vector<change>& changes, publish_stats& stats);
  result<void> move_names(const grouping& plan, const std::vector<assignment>& to, publish_stats& stats);
  result<void> add_names(grouping& plan, const std::vector<assignment>& to, publish_stats& stats);
  bool clear_unused_sets(publish_stats& stats);
  std::optional<answer_ref> acquire(std::span<const image> images);
  void release(const answer_ref& ref);
  [[nodiscard]] answer_ref published(std::uint32_t set, std::uint32_t column) const {
    return tables.load_answer(tables.answer_index(set, 0, column));
  }
  void write_answer(std::uint32_t set, std::uint32_t column, const answer_ref& ref, publish_stats& stats);
  result<publish_stats> publish(const dns::zone_set& zones);
  void summarize(publish_stats& stats) const;
};

// ---- taking over ----

result<void> publisher::state::adopt() {
  if (auto done = names.adopt(); !done) return done;
  for (auto& [key, entry] : names.all()) {
    if (entry.set >= sets.size()) {
      entry.set = NO_SET;
    } else {
      sets[entry.set].used = true;
    }
  }
  for (std::uint32_t set = 0; set < sets.size(); ++set) {
    if (sets[set].used) {
      adopt_set(set);
    } else {
      // Left by an agent that died between filling a set and installing its names.
      for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) {
        if (!is_empty(published(set, column))) tables.store_answer(tables.answer_index(set, 0, column), {});
      }
    }
  }
  for (auto set = static_cast<std::uint32_t>(sets.size()); set-- > 0;) {
    if (!sets[set].used) free_sets.push_back(set);
  }
  wait_for_running_programs();
  return {};
}

void publisher::state::adopt_set(std::uint32_t set) {
  for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) {
    const answer_ref ref = published(set, column);
    if (is_empty(ref)) continue;
    slot_pool& pool = (ref.flags & ANSWER_LARGE) != 0 ? large : small;
    if (!pool.adopt(ref)) tables.store_answer(tables.answer_index(set, 0, column), {});
  }
}

// ---- answers ----

std::optional<answer_ref> publisher::state::acquire(std::span<const image> images) {
  const bool fits =
      std::all_of(images.begin(), images.end(), [](const image& i) { return i.octets.size() <= SMALL_IMAGE_OCTETS; });
  if (!fits) return large.acquire(images);
  // A short answer may stand in a large slot where the small ones have run out.
  if (auto ref = small.acquire(images)) return ref;
  return large.acquire(images);
}

void publisher::state::release(const answer_ref& ref) {
  if (is_empty(ref)) return;
  ((ref.flags & ANSWER_LARGE) != 0 ? large : small).release(ref, now());
}

void publisher::state::write_answer(std::uint32_t set, std::uint32_t column, const answer_ref& ref,
                                    publish_stats& stats) {
  const answer_ref old = published(set, column);
  if (equal(old, ref)) return;
  for (std::uint32_t site = 0; site < tables.sites(); ++site) {
    tables.store_answer(tables.answer_index(set, site, column), ref);
  }
  ++stats.answers_changed;
  release(old);
}

void publisher::state::apply(std::uint32_t set, const std::vector<change>& changes, publish_stats& stats) {
  for (const change& c : changes) {
    if (c.wanted->empty()) {
      write_answer(set, c.column, {}, stats);
    } else if (const auto ref = acquire(*c.wanted)) {
      write_answer(set, c.column, *ref, stats);
    } else {
      write_answer(set, c.column, {}, stats);
      ++stats.answers_left;
    }
  }
}

bool publisher::state::clear_unused_sets(publish_stats& stats) {
  std::vector<bool> in_use(sets.size());
  for (const auto& [key, entry] : names.all()) {
    if (entry.set != NO_SET) in_use[entry.set] = true;
  }
  bool cleared = false;
  for (std::uint32_t set = 0; set < sets.size(); ++set) {
    if (!sets[set].used || in_use[set]) continue;
    for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) write_answer(set, column, {}, stats);
    sets[set] = {};
    free_sets.push_back(set);
    cleared = true;
  }
  return cleared;
}

// ---- planning ----

result<grouping> publisher::state::plan_names(const dns::zone_set& zones, publish_stats& stats) {
  for (auto& [key, entry] : names.all()) entry.group = NO_SET;
  for (int tries = 0;; ++tries) {
    grouping plan = group_names(zones, tables.config().hash_key);
    std::unordered_map<name_key, std::size_t, name_table::key_hash, name_table::key_equal> seen;
    seen.reserve(plan.names.size());
    std::vector<bool> refused(plan.names.size());
    std::size_t collisions = 0;
    for (std::size_t i = 0; i < plan.names.size(); ++i) {
      if (!seen.emplace(plan.names[i].key, i).second) {
        refused[i] = true;
        ++collisions;
      }
    }
    // With another key the same two names will hardly meet again; but it can only be changed while no name is
    // installed.
    if (collisions > 0 && names.size() == 0 && tries < 3) {
      if (::getrandom(tables.config().hash_key, sizeof tables.config().hash_key, 0) < 0) {
        return system_error(errno, "a random key for the names");
      }
      continue;
    }
    if (collisions > 0) {
      stats.left_to_userland += collisions;
      stats.notes.push_back(plural(collisions, "name") + " with the hash of another name");
      std::size_t keep = 0;
      for (std::size_t i = 0; i < plan.names.size(); ++i) {
        if (refused[i]) continue;
        if (keep != i) plan.names[keep] = std::move(plan.names[i]);
        ++keep;
      }
      plan.names.resize(keep);
    }
    return plan;
  }
}

// Decides which names there is room for: those that are installed first. Returns which groups have any.
std::vector<bool> publisher::state::admit(grouping& plan, publish_stats& stats) {
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

void publisher::state::bind_groups(const grouping& plan, const std::vector<bool>& needed, std::vector<assignment>& to) {
  // Which sets have names of which groups, and how many.
  std::unordered_map<std::uint64_t, std::size_t> counted;
  for (const auto& [key, entry] : names.all()) {
    if (entry.group != NO_SET && entry.set != NO_SET) ++counted[std::uint64_t{entry.set} << 32 | entry.group];
  }
  struct claim {
    std::uint32_t set;
    std::uint32_t group;
    std::size_t count;
    bool same;
  };
  std::vector<claim> claims;
  claims.reserve(counted.size());
  for (const auto& [pair, count] : counted) {
    const auto set = static_cast<std::uint32_t>(pair >> 32);
    const auto group = static_cast<std::uint32_t>(pair);
    claims.push_back({set, group, count, sets[set].signature == plan.groups[group].signature});
  }
  // A set stays with the group whose answers it has, else with the one that has most of its names.
  std::sort(claims.begin(), claims.end(), [](const claim& a, const claim& b) {
    if (a.same != b.same) return a.same;
    if (a.count != b.count) return a.count > b.count;
    return std::pair(a.set, a.group) < std::pair(b.set, b.group);
  });
  std::vector<bool> taken(sets.size());
  for (const claim& c : claims) {
    if (taken[c.set] || to[c.group].set != NO_SET) continue;
    taken[c.set] = true;
    to[c.group].set = c.set;
    to[c.group].in_place = true;
  }
  std::size_t left = free_sets.size();
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (needed[i] && to[i].set == NO_SET && left > 0) to[i].set = free_sets[--left];
  }
  free_sets.resize(left);
}

std::vector<publisher::state::change> publisher::state::changes_of(const dns::zone_set& zones, const name_group& group,
                                                                   std::uint32_t set, nodata_cache& nodata) const {
  const dns::zone* const zone = zones.enclosing(group.representative);
  const dns::node* const node = zone->find(group.representative);
  std::vector<change> changes;
  for (std::uint32_t i = 0; i < TYPE_CLASS_COUNT; ++i) {
    const auto column = static_cast<type_class>(i);
    const auto draw = [&] {
      return std::make_shared<const std::vector<image>>(
          render_column(zones, group.representative, group.zone_octets, *node, column));
    };
    column_images wanted;
    if (column != TYPE_CLASS_OTHER && node->find(query_type_of(column)) == nullptr) {
      // NODATA is the same for all names of a zone, so it is rendered once.
      auto& known = nodata[zone];
      if (!known) known = draw();
      wanted = known;
    } else {
      wanted = draw();
    }
    const answer_ref ref = published(set, i);
    const bool same = is_empty(ref) || wanted->empty()
                          ? is_empty(ref) && wanted->empty()
                          : ((ref.flags & ANSWER_LARGE) != 0 ? large : small).holds(ref, *wanted);
    if (!same) changes.push_back({i, std::move(wanted)});
  }
  return changes;
}

// ---- the change ----

// Names that go, and names whose present set is about to answer something else while their own is not ready: they pass
// for a moment. Names that can move to a ready set do so at once.
result<void> publisher::state::move_names(const grouping& plan, const std::vector<assignment>& to,
                                          publish_stats& stats) {
  bool unbound = false;
  for (auto entry = names.all().begin(); entry != names.all().end();) {
    const auto current = entry++;
    const name_entry& name = current->second;
    if (name.group == NO_SET || to[name.group].set == NO_SET) {
      ++stats.names_removed;
      names.remove(current);
      unbound = true;
      continue;
    }
    const assignment& target = to[name.group];
    const std::uint8_t zone_octets = plan.groups[name.group].zone_octets;
    if (target.set == name.set && zone_octets == name.zone_octets) continue;
    ++stats.names_rebound;
    unbound = true;
    if (target.in_place && !target.changes.empty()) {
      names.remove(current);
    } else {
      names.put(current->first, name.wire, target.set, zone_octets);
    }
  }
  std::size_t refused = 0;
  if (auto done = names.flush(refused); !done) return done;
  stats.left_to_userland += refused;
  if (unbound) wait_for_running_programs();
  return {};
}

result<void> publisher::state::add_names(grouping& plan, const std::vector<assignment>& to, publish_stats& stats) {
  const std::size_t before = names.size();
  std::size_t no_set = 0;
  std::size_t refused = 0;
  std::size_t same_hash = 0;
  for (wanted_name& wanted : plan.names) {
    if (!wanted.admitted) continue;
    if (const auto entry = names.all().find(wanted.key); entry != names.all().end()) {
      if (entry->second.wire != wanted.wire) ++same_hash;
    } else if (to[wanted.group].set == NO_SET) {
      ++no_set;
    } else {
      names.put(wanted.key, std::move(wanted.wire), to[wanted.group].set, wanted.zone_octets);
    }
  }
  if (auto done = names.flush(refused); !done) return done;
  stats.names_added = names.size() - before;
  stats.left_to_userland += no_set + refused + same_hash;
  if (no_set > 0)
    stats.notes.push_back(plural(no_set, "name") + ": all " + plural(sets.size(), "answer set") + " are taken");
  if (refused > 0) stats.notes.push_back(plural(refused, "name") + ": the kernel refused to install more");
  if (same_hash > 0) stats.notes.push_back(plural(same_hash, "name") + ": with the hash of an installed name");
  return {};
}

result<publish_stats> publisher::state::publish(const dns::zone_set& zones) {
  publish_stats stats;
  const std::size_t written_before = small.written() + large.written();
  small.settle(now());
  large.settle(now());

  auto plan = plan_names(zones, stats);
  if (!plan) return plan.error();
  std::vector<assignment> to(plan->groups.size());
  const auto needed = admit(*plan, stats);
  bind_groups(*plan, needed, to);

  // First the sets that no name is bound to yet, then the names that leave a set, then the sets whose names stay (each
  // answer changes by one store), then the names that come, last the sets that nobody needs any more.
  nodata_cache nodata;
  std::size_t without_set = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const name_group& group = plan->groups[i];
    if (to[i].set == NO_SET) {
      if (needed[i]) ++without_set;
      continue;
    }
    auto changes = changes_of(zones, group, to[i].set, nodata);
    if (to[i].in_place) {
      to[i].changes = std::move(changes);
    } else {
      apply(to[i].set, changes, stats);
      sets[to[i].set].used = true;
    }
  }
  if (auto done = move_names(*plan, to, stats); !done) return done.error();
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i].set == NO_SET) continue;
    apply(to[i].set, to[i].changes, stats);
    sets[to[i].set].signature = plan->groups[i].signature;
  }
  if (auto done = add_names(*plan, to, stats); !done) return done.error();
  const bool cleared = clear_unused_sets(stats);

  stats.images_written = small.written() + large.written() - written_before;
  if (stats.answers_left > 0) {
    stats.notes.push_back(plural(stats.answers_left, "answer") + ": the image slots are all taken");
    for (const auto& settles : {small.next_settling(), large.next_settling()}) {
      if (settles && (!stats.again_at || *settles < *stats.again_at)) stats.again_at = settles;
    }
  }
  if (without_set > 0 && cleared) stats.again_at = now();
  if (!stats.unchanged()) ++tables.config().generation;
  summarize(stats);
  return stats;
}

void publisher::state::summarize(publish_stats& stats) const {
  stats.names = names.size();
  stats.sets =
      static_cast<std::size_t>(std::count_if(sets.begin(), sets.end(), [](const set_state& s) { return s.used; }));
  stats.small_images = small.used();
  stats.large_images = large.used();
}

publisher::publisher(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
publisher::publisher(publisher&&) noexcept = default;
publisher& publisher::operator=(publisher&&) noexcept = default;
publisher::~publisher() = default;

result<publisher> publisher::adopt(const object& tables, time_source now) {
  auto made = std::make_unique<state>(tables, std::move(now));
  if (auto done = made->adopt(); !done) return done.error();
  return publisher(std::move(made));
}

result<publish_stats> publisher::publish(const dns::zone_set& zones) { return state_->publish(zones); }

}  // namespace nearside::dataplane
