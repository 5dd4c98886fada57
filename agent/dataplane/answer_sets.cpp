// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/answer_sets.hpp"

#include <algorithm>
#include <utility>

namespace nearside::dataplane {

namespace {

bool is_empty(const answer_ref& ref) { return ref.alternatives == 0; }

bool equal(const answer_ref& a, const answer_ref& b) {
  return a.slot == b.slot && a.generation == b.generation && a.alternatives == b.alternatives && a.flags == b.flags;
}

}  // namespace

answer_sets::answer_sets(const object& tables, time_source now, std::chrono::milliseconds quarantine)
    : tables_(&tables),
      now_(std::move(now)),
      small_(tables.slots_small(), 0, quarantine),
      large_(tables.slots_large(), ANSWER_LARGE, quarantine),
      sets_(tables.sets()) {}

// ---- taking over ----

void answer_sets::adopt(const std::vector<bool>& named) {
  for (std::uint32_t set = 0; set < sets_.size(); ++set) {
    sets_[set].used = named[set];
    if (named[set]) {
      adopt_set(set);
    } else {
      // Left by an agent that died between filling a set and installing its names.
      for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) {
        if (!is_empty(published(set, column))) tables_->store_answer(tables_->answer_index(set, 0, column), {});
      }
    }
  }
  for (auto set = static_cast<std::uint32_t>(sets_.size()); set-- > 0;) {
    if (!named[set]) free_.push_back(set);
  }
}

void answer_sets::adopt_set(std::uint32_t set) {
  for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) {
    const answer_ref ref = published(set, column);
    if (is_empty(ref)) continue;
    if (!pool_of(ref).adopt(ref)) tables_->store_answer(tables_->answer_index(set, 0, column), {});
  }
}

// ---- one word and its slots ----

std::optional<answer_ref> answer_sets::acquire(std::span<const image> images) {
  const bool fits =
      std::all_of(images.begin(), images.end(), [](const image& i) { return i.octets.size() <= SMALL_IMAGE_OCTETS; });
  if (!fits) return large_.acquire(images);
  // A short answer may stand in a large slot where the small ones have run out.
  if (auto ref = small_.acquire(images)) return ref;
  return large_.acquire(images);
}

void answer_sets::release(const answer_ref& ref) {
  if (is_empty(ref)) return;
  pool_of(ref).release(ref, now_());
}

void answer_sets::write(std::uint32_t set, std::uint32_t column, const answer_ref& ref, publish_stats& stats) {
  const answer_ref old = published(set, column);
  if (equal(old, ref)) return;
  for (std::uint32_t site = 0; site < tables_->sites(); ++site) {
    tables_->store_answer(tables_->answer_index(set, site, column), ref);
  }
  ++stats.answers_changed;
  release(old);
}

// ---- whole sets ----

std::optional<std::uint32_t> answer_sets::take_free() {
  if (free_.empty()) return std::nullopt;
  const std::uint32_t set = free_.back();
  free_.pop_back();
  return set;
}

std::vector<column_change> answer_sets::changes_of(const dns::zone_set& zones, const name_group& group,
                                                   std::uint32_t set, nodata_cache& nodata) const {
  const dns::zone* const zone = zones.enclosing(group.representative);
  const dns::node* const node = zone->find(group.representative);
  std::vector<column_change> changes;
  for (std::uint32_t i = 0; i < TYPE_CLASS_COUNT; ++i) {
    const auto column = static_cast<type_class>(i);
    const auto draw = [&] {
      return std::make_shared<const std::vector<image>>(
          render_column(zones, group.representative, group.zone_octets, *node, column));
    };
    column_images wanted;
    if (column != TYPE_CLASS_OTHER && node->find(query_type_of(column)) == nullptr) {
      auto& known = nodata[zone];
      if (!known) known = draw();
      wanted = known;
    } else {
      wanted = draw();
    }
    const answer_ref ref = published(set, i);
    const bool same =
        is_empty(ref) || wanted->empty() ? is_empty(ref) && wanted->empty() : pool_of(ref).holds(ref, *wanted);
    if (!same) changes.push_back({i, std::move(wanted)});
  }
  return changes;
}

void answer_sets::apply(std::uint32_t set, const std::vector<column_change>& changes, publish_stats& stats) {
  for (const column_change& c : changes) {
    if (c.wanted->empty()) {
      write(set, c.column, {}, stats);
    } else if (const auto ref = acquire(*c.wanted)) {
      write(set, c.column, *ref, stats);
    } else {
      write(set, c.column, {}, stats);
      ++stats.answers_left;
    }
  }
}

bool answer_sets::clear_unused(const std::vector<bool>& named, publish_stats& stats) {
  bool cleared = false;
  for (std::uint32_t set = 0; set < sets_.size(); ++set) {
    if (!sets_[set].used || named[set]) continue;
    for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) write(set, column, {}, stats);
    sets_[set] = {};
    free_.push_back(set);
    cleared = true;
  }
  return cleared;
}

// ---- slots ----

void answer_sets::settle() {
  small_.settle(now_());
  large_.settle(now_());
}

std::optional<slot_pool::time_point> answer_sets::next_settling() const noexcept {
  const auto a = small_.next_settling();
  const auto b = large_.next_settling();
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

void answer_sets::summarize(publish_stats& stats) const {
  stats.sets =
      static_cast<std::size_t>(std::count_if(sets_.begin(), sets_.end(), [](const set_state& s) { return s.used; }));
  stats.small_images = small_.used();
  stats.large_images = large_.used();
}

}  // namespace nearside::dataplane
