// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/answer_sets.hpp"

#include <algorithm>
#include <utility>

namespace nearside::dataplane {

answer_sets::answer_sets(const object& tables, image_store& images)
    : tables_(&tables), images_(&images), sets_(tables.sets()) {}

// ---- taking over ----

void answer_sets::adopt(const std::vector<bool>& named) {
  for (std::uint32_t set = 0; set < sets_.size(); ++set) {
    set_used(set, named[set]);
    if (named[set]) {
      adopt_set(set);
    } else {
      // Left by an agent that died between filling a set and installing its names.
      for (std::uint32_t column = 0; column < set_columns; ++column) {
        if (!is_empty(published(set, column))) store(set, column, {});
      }
    }
  }
  for (auto set = static_cast<std::uint32_t>(sets_.size()); set-- > 0;) {
    if (!named[set]) free_.push_back(set);
  }
}

void answer_sets::adopt_set(std::uint32_t set) {
  for (std::uint32_t column = 0; column < set_columns; ++column) {
    const answer_ref ref = published(set, column);
    if (is_empty(ref)) continue;
    // A row of `site_answers` is what its own words are; only where it is has to make sense.
    const bool sound = (ref.flags & ANSWER_BY_SITE) != 0
                           ? ref.slot % tables_->sites() == 0 && ref.slot / tables_->sites() < tables_->mapped_sets()
                           : images_->adopt(ref);
    if (!sound) store(set, column, {});
  }
}

// ---- one word and its slots ----

void answer_sets::write(std::uint32_t set, std::uint32_t column, const answer_ref& ref, publish_stats& stats) {
  const answer_ref old = published(set, column);
  if (equal(old, ref)) return;
  store(set, column, ref);
  ++stats.answers_changed;
  images_->release(old);
}

void answer_sets::store(std::uint32_t set, std::uint32_t column, const answer_ref& ref) const noexcept {
  if (column >= first_stale_column) {
    tables_->store_stale(object::stale_index(set, column - first_stale_column), ref);
    return;
  }
  tables_->store_answer(object::answer_index(set, column), ref);
}

void answer_sets::publish(std::uint32_t set, std::uint32_t column, const answer_images& wanted, publish_stats& stats) {
  if (wanted.images.empty()) {
    write(set, column, {}, stats);
  } else if (const auto ref = images_->acquire(wanted)) {
    write(set, column, *ref, stats);
  } else {
    write(set, column, {}, stats);
    ++stats.answers_left;
  }
}

// ---- whole sets ----

std::optional<std::uint32_t> answer_sets::take_free() {
  if (free_.empty()) return std::nullopt;
  const std::uint32_t set = free_.back();
  free_.pop_back();
  return set;
}

void answer_sets::set_used(std::uint32_t set, bool used) noexcept {
  if (sets_[set].used == used) return;
  sets_[set].used = used;
  used ? ++used_ : --used_;
}

// What a set's pool makes of a choice: images in `scratch`, or what is the same for every choice of that kind.
const answer_images& answer_sets::images_of(const pool_of_set& pool, std::uint32_t family, const dns::choice& decided,
                                            answer_images& scratch) {
  static const answer_images none;
  if (decided.what == dns::choice::kind::nodata) return *pool.nodata;
  const auto& parts = pool.families[family];
  const bool composed = decided.what == dns::choice::kind::answer && parts && parts->compose(decided, scratch);
  return composed ? scratch : none;
}

std::vector<column_change> answer_sets::changes_of(const dns::zone_set& zones, const decisions& decided,
                                                   const name_group& group, std::uint32_t set, render_cache& cache,
                                                   pool_of_set& pool, const answer_ref& by_site) const {
  const dns::name& owner = group.representative;
  const dns::zone* const zone = zones.enclosing(owner);
  const dns::node* const node = zone->find(owner);
  std::vector<column_change> changes;
  const auto want = [&](std::uint32_t column, shared_images wanted) {
    if (!is_published(set, column, *wanted)) changes.push_back({column, std::move(wanted), {}});
  };
  shared_images none = std::make_shared<const answer_images>();
  if (group.rule.by_site) {
    for (std::uint32_t i = 0; i < set_columns; ++i) {
      // Among the other types is DS, which the parent answers at a cut (RFC 4035 3.1.4.1).
      const bool is_for_sites = i < TYPE_CLASS_OTHER;
      if (!is_for_sites || is_empty(by_site)) {
        want(i, none);
      } else if (!equal(published(set, i), by_site)) {
        changes.push_back({i, none, by_site});
      }
    }
    return changes;
  }
  const auto render = [&](type_class which) {
    return std::make_shared<const answer_images>(
        render_column(zones, decided.now, owner, group.zone_octets, *node, which));
  };
  const auto pooled = [&](std::uint32_t family, const dns::choice* chosen) -> shared_images {
    if (chosen == nullptr) return none;
    answer_images made;
    return std::make_shared<const answer_images>(images_of(pool, family, *chosen, made));
  };
  const auto find = [&pool](const dns::choices& all, std::uint32_t family) {
    return pool.pool < all.size() ? &all[pool.pool].families[family] : nullptr;
  };

  std::array<shared_images, STALE_COLUMNS> stale{none, none};
  for (std::uint32_t i = 0; i < TYPE_CLASS_COUNT; ++i) {
    const auto which = static_cast<type_class>(i);
    const dns::rrset* const records = which == TYPE_CLASS_OTHER ? nullptr : node->find(query_type_of(which));
    auto& nodata = cache.nodata[zone];
    if (records != nullptr && records->pool != dns::no_pool) {
      pool.pool = records->pool;
      pool.families[i] = pool_records::cut(zones, owner, group.zone_octets, *records, cache.scratch);
      if (!nodata) {
        auto images = render_column(zones, cache.scratch, owner, group.zone_octets, *node, which);
        nodata = std::make_shared<const answer_images>(std::move(images));
      }
      pool.nodata = nodata;
      want(i, pooled(i, find(decided.now, i)));
      const dns::choice* const past_lease = find(decided.stale, i);
      if (past_lease != nullptr && past_lease->what == dns::choice::kind::answer) stale[i] = pooled(i, past_lease);
    } else if (which != TYPE_CLASS_OTHER && records == nullptr) {
      if (!nodata) nodata = render(which);
      want(i, nodata);
    } else {
      want(i, render(which));
    }
  }
  for (std::uint32_t i = 0; i < STALE_COLUMNS; ++i) want(first_stale_column + i, std::move(stale[i]));
  return changes;
}

void answer_sets::apply(std::uint32_t set, const std::vector<column_change>& changes, publish_stats& stats) {
  for (const column_change& c : changes) {
    if (is_empty(c.by_site)) {
      publish(set, c.column, *c.wanted, stats);
    } else {
      write(set, c.column, c.by_site, stats);
    }
  }
}

// ---- pools ----

void answer_sets::forget_pools() {
  for (const auto& sets : sets_of_pool_) {
    for (const std::uint32_t set : sets) sets_[set].pool = {};
  }
  sets_of_pool_.clear();
}

void answer_sets::keep_pool(std::uint32_t set, pool_of_set pool) {
  if (pool.pool == dns::no_pool) return;
  if (sets_of_pool_.size() <= pool.pool) sets_of_pool_.resize(std::size_t{pool.pool} + 1);
  sets_of_pool_[pool.pool].push_back(set);
  sets_[set].pool = std::move(pool);
}

void answer_sets::change_pool(std::uint32_t pool, const dns::pool_choice& decided, publish_stats& stats) {
  if (pool >= sets_of_pool_.size()) return;
  for (const std::uint32_t set : sets_of_pool_[pool]) {
    const pool_of_set& known = sets_[set].pool;
    for (std::uint32_t family = 0; family < known.families.size(); ++family) {
      if (!known.families[family]) continue;
      const answer_images& wanted = images_of(known, family, decided.families[family], composed_);
      if (!is_published(set, family, wanted)) publish(set, family, wanted, stats);
    }
  }
}

bool answer_sets::clear_unused(const std::vector<bool>& named, publish_stats& stats) {
  bool cleared = false;
  for (std::uint32_t set = 0; set < sets_.size(); ++set) {
    if (!sets_[set].used || named[set]) continue;
    for (std::uint32_t column = 0; column < set_columns; ++column) write(set, column, {}, stats);
    set_used(set, false);
    sets_[set] = {};
    free_.push_back(set);
    cleared = true;
  }
  return cleared;
}

}  // namespace nearside::dataplane
