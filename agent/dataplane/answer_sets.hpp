// SPDX-License-Identifier: BSD-2-Clause
// The answer sets: a word for each column, and the slots behind the words. New images are written beside the old ones,
// and each answer is switched by one 64-bit store. Owned by the publisher, on its thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/dataplane/grouping.hpp"
#include "agent/dataplane/image.hpp"
#include "agent/dataplane/image_store.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/pool_records.hpp"
#include "agent/dataplane/publish_stats.hpp"
#include "agent/dns/choice.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

using shared_images = std::shared_ptr<const answer_images>;

/// The words of a set: its row in `answers`, by type class, then those of `stale_answers`.
inline constexpr std::uint32_t first_stale_column = TYPE_CLASS_COUNT;
inline constexpr std::uint32_t set_columns = TYPE_CLASS_COUNT + STALE_COLUMNS;

/// A word of a set in which something else is to be published; `wanted` without images: the word is cleared. `by_site`
/// counts instead where it is not empty: the answers are those of a row of `site_answers`.
struct column_change {
  std::uint32_t column;
  shared_images wanted;
  answer_ref by_site{};
};

/// What the pools answer: now, and past the lease (empty: nothing of its own).
struct decisions {
  const dns::choices& now;
  const dns::choices& stale;
};

/// What it takes to change a set's answers when its pool's choice changes.
struct pool_of_set {
  std::uint32_t pool = dns::no_pool;
  std::array<std::optional<pool_records>, 2> families;  // by type class: A, AAAA; none: no such RRset
  shared_images nodata;
};

/// What one publish() renders but once.
struct render_cache {
  std::unordered_map<const dns::zone*, shared_images> nodata;  // the same for all names of a zone
  dns::choices scratch;                                        // for pool_records::cut()
};

class answer_sets {
 public:
  /// Both must outlive it.
  answer_sets(const object& tables, image_store& images);

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
  void mark_used(std::uint32_t set) noexcept { set_used(set, true); }

  /// Where what is published for the set differs from what the group answers. `pool` becomes what keep_pool() takes.
  /// `by_site`: the word of a group that is answered by site; empty: the agent answers it.
  [[nodiscard]] std::vector<column_change> changes_of(const dns::zone_set& zones, const decisions& decided,
                                                      const name_group& group, std::uint32_t set, render_cache& cache,
                                                      pool_of_set& pool, const answer_ref& by_site) const;
  /// Where the row of `site_answers` begins that the set's names are answered from; nullopt: they are not.
  [[nodiscard]] std::optional<std::uint32_t> base_of(std::uint32_t set) const noexcept {
    const answer_ref ref = published(set, TYPE_CLASS_A);
    return (ref.flags & ANSWER_BY_SITE) != 0 ? std::optional(ref.slot) : std::nullopt;
  }
  /// Publishes the changes. An answer without a free slot is cleared, so that userland gives it, and counted.
  void apply(std::uint32_t set, const std::vector<column_change>& changes, publish_stats& stats);

  // ---- pools ----
  /// From now on no set has a pool.
  void forget_pools();
  /// The set answers as this pool is decided.
  void keep_pool(std::uint32_t set, pool_of_set pool);
  /// Brings the sets of a pool to this choice. Each A and AAAA word is switched by itself.
  void change_pool(std::uint32_t pool, const dns::pool_choice& decided, publish_stats& stats);

  /// Clears the used sets that no name is bound to any more. Returns whether there were any.
  bool clear_unused(const std::vector<bool>& named, publish_stats& stats);

  /// Fills in the sets in use.
  void summarize(publish_stats& stats) const { stats.sets = used_; }

 private:
  struct set_state {
    bool used = false;
    std::string signature;
    pool_of_set pool;
  };

  void adopt_set(std::uint32_t set);
  [[nodiscard]] answer_ref published(std::uint32_t set, std::uint32_t column) const noexcept {
    if (column >= first_stale_column) return tables_->load_stale(object::stale_index(set, column - first_stale_column));
    return tables_->load_answer(object::answer_index(set, column));
  }
  [[nodiscard]] bool is_published(std::uint32_t set, std::uint32_t column, const answer_images& wanted) const {
    return images_->says(published(set, column), wanted);
  }
  void set_used(std::uint32_t set, bool used) noexcept;
  void store(std::uint32_t set, std::uint32_t column, const answer_ref& ref) const noexcept;
  void write(std::uint32_t set, std::uint32_t column, const answer_ref& ref, publish_stats& stats);
  static const answer_images& images_of(const pool_of_set& pool, std::uint32_t family, const dns::choice& decided,
                                        answer_images& scratch);
  void publish(std::uint32_t set, std::uint32_t column, const answer_images& wanted, publish_stats& stats);

  const object* tables_;
  image_store* images_;
  std::vector<set_state> sets_;
  std::vector<std::uint32_t> free_;  // the lowest last
  std::size_t used_ = 0;
  std::vector<std::vector<std::uint32_t>> sets_of_pool_;
  answer_images composed_;  // its memory is kept from one change to the next
};

}  // namespace nearside::dataplane
