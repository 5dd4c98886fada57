// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/publish.hpp"

#include <utility>
#include <vector>

#include "agent/dataplane/answer_sets.hpp"
#include "agent/dataplane/grouping.hpp"
#include "agent/dataplane/name_table.hpp"
#include "agent/dataplane/placement.hpp"
#include "agent/dataplane/running_programs.hpp"
#include "agent/dataplane/site_answers.hpp"

namespace nearside::dataplane {

struct publisher::state {
  state(const object& t, time_source n)
      : tables(t),
        now(std::move(n)),
        names(t),
        images(t, now, quarantine),
        sets(t, images),
        by_site(t, images, now, quarantine) {}

  const object& tables;
  time_source now;
  name_table names;
  image_store images;
  answer_sets sets;
  site_answers by_site;
  std::vector<site_group> site_groups;

  result<void> adopt();
  result<publish_stats> publish(const dns::zone_set& zones, const decisions& decided, std::span<const site_rule> rules);
  publish_stats change(const dns::choices& chosen, std::span<const std::uint32_t> pools);
  publish_stats set_sites(std::span<const site_change> changes);
  publish_stats forget_sites();

  // The steps of publish(), in order.
  std::size_t fill_new_sets(const dns::zone_set& zones, const decisions& decided, const grouping& plan,
                            const std::vector<bool>& needed, std::vector<assignment>& to, publish_stats& stats);
  answer_ref word_by_site(const name_group& group, const assignment& to, publish_stats& stats);
  result<void> move_names(const grouping& plan, const std::vector<assignment>& to, publish_stats& stats);
  void change_sets(const grouping& plan, const std::vector<assignment>& to, publish_stats& stats);
  result<void> add_names(grouping& plan, const std::vector<assignment>& to, publish_stats& stats);

  [[nodiscard]] std::vector<bool> named_sets() const;
  /// The end of each change: what it comes to, and whether to come again.
  void conclude(publish_stats& stats, std::size_t written_before);
};

// Which sets have names bound to them.
std::vector<bool> publisher::state::named_sets() const {
  std::vector<bool> named(sets.count());
  for (const auto& [key, entry] : names.all()) {
    if (entry.set != no_set) named[entry.set] = true;
  }
  return named;
}

result<void> publisher::state::adopt() {
  if (auto done = names.adopt(); !done) return done;
  for (auto& [key, entry] : names.all()) {
    if (entry.set >= sets.count()) entry.set = no_set;
  }
  sets.adopt(named_sets());
  by_site.adopt();
  wait_for_running_programs();
  return {};
}

// Writes the answers of the sets that no name is bound to yet, and notes what changes in the others. Returns how many
// groups found no set.
std::size_t publisher::state::fill_new_sets(const dns::zone_set& zones, const decisions& decided, const grouping& plan,
                                            const std::vector<bool>& needed, std::vector<assignment>& to,
                                            publish_stats& stats) {
  render_cache cache;
  std::size_t without_set = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i].set == no_set) {
      if (needed[i]) ++without_set;
      continue;
    }
    const answer_ref word = word_by_site(plan.groups[i], to[i], stats);
    auto changes = sets.changes_of(zones, decided, plan.groups[i], to[i].set, cache, to[i].pool, word);
    if (to[i].in_place) {
      to[i].changes = std::move(changes);
    } else {
      sets.apply(to[i].set, changes, stats);
      sets.mark_used(to[i].set);
    }
  }
  return without_set;
}

// The word of a group that is answered by site; empty: it is not, or there is no row for it.
answer_ref publisher::state::word_by_site(const name_group& group, const assignment& to, publish_stats& stats) {
  if (!group.rule.by_site) return {};
  const auto row = by_site.take(group.signature, to.in_place ? sets.base_of(to.set) : std::nullopt);
  if (!row) {
    stats.notes.push_back("answers by site of " + group.representative.text() + ": all " +
                          plural(by_site.count(), "row") + " are taken (maps.mapped_sets)");
    stats.again_at = by_site.next_free();
    return {};
  }
  site_groups.push_back({*row, group.representative, group.zone_octets, group.rule, by_site.is_fresh(*row)});
  answer_ref word{};
  word.slot = tables.base_of(*row);
  word.alternatives = 1;
  word.flags = static_cast<__u8>(ANSWER_BY_SITE | (group.rule.ecs_to_agent ? ANSWER_ECS_TO_AGENT : 0u));
  return word;
}

// Names that go, and names whose present set is about to answer something else while their own is not ready: they pass
// for a moment. Names that can move to a ready set do so at once.
result<void> publisher::state::move_names(const grouping& plan, const std::vector<assignment>& to,
                                          publish_stats& stats) {
  bool unbound = false;
  for (auto entry = names.all().begin(); entry != names.all().end();) {
    const auto current = entry++;
    const name_entry& name = current->second;
    if (name.group == no_set || to[name.group].set == no_set) {
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

// Each answer of a set whose names stay changes by one store.
void publisher::state::change_sets(const grouping& plan, const std::vector<assignment>& to, publish_stats& stats) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i].set == no_set) continue;
    sets.apply(to[i].set, to[i].changes, stats);
    sets.sign(to[i].set, plan.groups[i].signature);
  }
}

result<void> publisher::state::add_names(grouping& plan, const std::vector<assignment>& to, publish_stats& stats) {
  const std::size_t before = names.size();
  std::size_t setless = 0;
  std::size_t refused = 0;
  std::size_t same_hash = 0;
  for (wanted_name& wanted : plan.names) {
    if (!wanted.admitted) continue;
    if (const auto entry = names.all().find(wanted.key); entry != names.all().end()) {
      if (entry->second.wire != wanted.wire) ++same_hash;
    } else if (to[wanted.group].set == no_set) {
      ++setless;
    } else {
      names.put(wanted.key, std::move(wanted.wire), to[wanted.group].set, wanted.zone_octets);
    }
  }
  if (auto done = names.flush(refused); !done) return done;
  stats.names_added = names.size() - before;
  stats.left_to_userland += setless + refused + same_hash;
  if (setless > 0) {
    stats.notes.push_back(plural(setless, "name") + ": all " + plural(sets.count(), "answer set") + " are taken");
  }
  if (refused > 0) stats.notes.push_back(plural(refused, "name") + ": the kernel refused to install more");
  if (same_hash > 0) stats.notes.push_back(plural(same_hash, "name") + ": with the hash of an installed name");
  return {};
}

result<publish_stats> publisher::state::publish(const dns::zone_set& zones, const decisions& decided,
                                                std::span<const site_rule> rules) {
  publish_stats stats;
  const std::size_t written_before = images.written();
  images.settle();
  // Should a system call fail on the way, the numbers of the pools may be those of other zones.
  sets.forget_pools();
  site_groups.clear();

  auto plan = names_without_collisions(zones, rules, tables, names.size() == 0, stats);
  if (!plan) return plan.error();
  const auto needed = admit(*plan, names, tables, stats);
  auto to = bind_groups(*plan, needed, names, sets);

  // First the sets that no name is bound to yet, then the names that leave a set, then the sets whose names stay, then
  // the names that come, last the sets that nobody needs any more.
  const std::size_t without_set = fill_new_sets(zones, decided, *plan, needed, to, stats);
  if (auto done = move_names(*plan, to, stats); !done) return done.error();
  change_sets(*plan, to, stats);
  if (auto done = add_names(*plan, to, stats); !done) return done.error();
  const bool cleared = sets.clear_unused(named_sets(), stats);
  // No word leads to the other rows any more.
  std::vector<bool> rows(by_site.count());
  for (const site_group& group : site_groups) rows[group.number] = true;
  by_site.keep_only(rows, stats);
  for (assignment& one : to) {
    if (one.set != no_set) sets.keep_pool(one.set, std::move(one.pool));
  }

  conclude(stats, written_before);
  if (without_set > 0 && cleared) stats.again_at = now();
  return stats;
}

publish_stats publisher::state::change(const dns::choices& chosen, std::span<const std::uint32_t> pools) {
  publish_stats stats;
  const std::size_t written_before = images.written();
  images.settle();
  for (const std::uint32_t pool : pools) {
    if (pool < chosen.size()) sets.change_pool(pool, chosen[pool], stats);
  }
  conclude(stats, written_before);
  return stats;
}

publish_stats publisher::state::set_sites(std::span<const site_change> changes) {
  publish_stats stats;
  const std::size_t written_before = images.written();
  images.settle();
  std::size_t out_of_range = 0;
  for (const site_change& one : changes) {
    if (!by_site.set(one.group, one.site, one.wanted, stats)) ++out_of_range;
  }
  if (out_of_range > 0) stats.notes.push_back(plural(out_of_range, "site") + ": beyond the tables' end (maps.sites)");
  conclude(stats, written_before);
  return stats;
}

publish_stats publisher::state::forget_sites() {
  publish_stats stats;
  by_site.clear(stats);
  for (site_group& group : site_groups) group.fresh = true;
  conclude(stats, images.written());
  return stats;
}

void publisher::state::conclude(publish_stats& stats, std::size_t written_before) {
  stats.images_written = images.written() - written_before;
  if (stats.answers_left > 0) {
    stats.notes.push_back(plural(stats.answers_left, "answer") + ": the image slots are all taken");
    stats.again_at = images.next_settling();
  }
  if (!stats.unchanged()) ++tables.config().generation;
  stats.names = names.size();
  sets.summarize(stats);
  images.summarize(stats);
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

result<publish_stats> publisher::publish(const dns::zone_set& zones, const dns::choices& chosen,
                                         const dns::choices& stale, std::span<const site_rule> rules) {
  return state_->publish(zones, {chosen, stale}, rules);
}

std::span<const site_group> publisher::site_groups() const noexcept { return state_->site_groups; }

publish_stats publisher::set_sites(std::span<const site_change> changes) { return state_->set_sites(changes); }

publish_stats publisher::forget_sites() { return state_->forget_sites(); }

publish_stats publisher::change(const dns::choices& chosen, std::span<const std::uint32_t> pools) {
  return state_->change(chosen, pools);
}

}  // namespace nearside::dataplane
