// SPDX-License-Identifier: BSD-2-Clause
// The answer sets: a word for each column, and the slots behind the words. New images are written beside the old ones,
// and each answer is switched by one 64-bit store. Owned by the publisher, on its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/dataplane/grouping.hpp"
#include "agent/dataplane/image.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish_stats.hpp"
#include "agent/dataplane/slot_pool.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

using column_images = std::shared_ptr<const std::vector<image>>;

/// A column of a set in which something else is to be published; `wanted` empty: userland answers.
struct column_change {
  std::uint32_t column;
  column_images wanted;
};

/// NODATA is the same for all names of a zone, so one publish() renders it once.
using nodata_cache = std::unordered_map<const dns::zone*, column_images>;

class answer_sets {
 public:
  using time_source = std::function<slot_pool::time_point()>;

  /// `tables` must outlive it. `quarantine`: how long a slot rests after its answer was taken away.
  answer_sets(const object& tables, time_source now, std::chrono::milliseconds quarantine);

  /// Takes over what is published for the sets that have names; words of other sets, and words that point nowhere, are
  /// cleared. `named` has an element for each set.
  void adopt(const std::vector<bool>& named);

  /// How many sets there are, used or not.
  [[nodiscard]] std::size_t count() const noexcept { return sets_.size(); }
  /// The signature of the group that the set was filled for; empty after adopt().
  [[nodiscard]] const std::string& signature(std::uint32_t set) const noexcept { return sets_[set].signature; }
  void sign(std::uint32_t set, const std::string& signature) { sets_[set].signature = signature; }
  /// A set that nobody uses; nullopt: all are taken. It counts as used once it is filled and mark_used() was called.
  std::optional<std::uint32_t> take_free();
  void mark_used(std::uint32_t set) noexcept { sets_[set].used = true; }

  /// Where what is published for the set differs from what the group answers.
  [[nodiscard]] std::vector<column_change> changes_of(const dns::zone_set& zones, const name_group& group,
                                                      std::uint32_t set, nodata_cache& nodata) const;
  /// Publishes the changes. An answer without a free slot is cleared, so that userland gives it, and counted.
  void apply(std::uint32_t set, const std::vector<column_change>& changes, publish_stats& stats);
  /// Clears the used sets that no name is bound to any more. Returns whether there were any.
  bool clear_unused(const std::vector<bool>& named, publish_stats& stats);

  /// Slots whose quarantine is over become free.
  void settle();
  /// When the first quarantine ends.
  [[nodiscard]] std::optional<slot_pool::time_point> next_settling() const noexcept;
  /// Images written since the start.
  [[nodiscard]] std::size_t written() const noexcept { return small_.written() + large_.written(); }
  /// Fills in the sets and slots in use.
  void summarize(publish_stats& stats) const;

 private:
  struct set_state {
    bool used = false;
    std::string signature;
  };

  void adopt_set(std::uint32_t set);
  [[nodiscard]] answer_ref published(std::uint32_t set, std::uint32_t column) const noexcept {
    return tables_->load_answer(tables_->answer_index(set, 0, column));
  }
  [[nodiscard]] const slot_pool& pool_of(const answer_ref& ref) const noexcept {
    return (ref.flags & ANSWER_LARGE) != 0 ? large_ : small_;
  }
  [[nodiscard]] slot_pool& pool_of(const answer_ref& ref) noexcept {
    return (ref.flags & ANSWER_LARGE) != 0 ? large_ : small_;
  }
  std::optional<answer_ref> acquire(std::span<const image> images);
  void release(const answer_ref& ref);
  void write(std::uint32_t set, std::uint32_t column, const answer_ref& ref, publish_stats& stats);

  const object* tables_;
  time_source now_;
  slot_pool small_;
  slot_pool large_;
  std::vector<set_state> sets_;
  std::vector<std::uint32_t> free_;  // the lowest last
};

}  // namespace nearside::dataplane
