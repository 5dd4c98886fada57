// SPDX-License-Identifier: BSD-2-Clause
// The answers by site: rows of `site_answers`, one for each group of mapped names that are answered alike, with a word
// for each site. Owned by the publisher, on its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/dataplane/image_store.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish_stats.hpp"

namespace nearside::dataplane {

class site_answers {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using time_source = std::function<time_point()>;

  /// `quarantine`: how long a row rests before other names get it.
  site_answers(const object& tables, image_store& images, time_source now, std::chrono::milliseconds quarantine);

  /// Takes over what is published. Whose it is is not known: it counts until keep_only() is called.
  void adopt();

  /// The row of the group with this signature. Where it has none, the one at `base`, if that was taken over, with what
  /// it says; else a new one. nullopt: all are taken, or rest.
  std::optional<std::uint32_t> take(const std::string& signature, std::optional<std::uint32_t> base);
  /// The rows that no group has are cleared.
  void keep_only(const std::vector<bool>& wanted, publish_stats& stats);
  /// set() was not called since the row was taken, or cleared.
  [[nodiscard]] bool is_fresh(std::uint32_t row) const noexcept { return rows_[row].fresh; }

  /// The answer of a site; without images, or a slot for them (counted in the stats), the agent answers. False: no such
  /// row, or a site beyond the row's end.
  bool set(std::uint32_t number, std::uint32_t site, const answer_images& wanted, publish_stats& stats);
  /// No site of any row has an answer: the agent gives them.
  void clear(publish_stats& stats);

  [[nodiscard]] std::size_t count() const noexcept { return rows_.size(); }
  /// When a row that rests may be taken.
  [[nodiscard]] std::optional<time_point> next_free() const noexcept;

 private:
  struct row_state {
    bool used = false;
    bool fresh = false;
    std::string signature;  // empty where it is not known
    time_point free_from{};
  };
  void write(std::uint32_t number, std::uint32_t site, const answer_ref& ref, publish_stats& stats);
  void clear(std::uint32_t number, publish_stats& stats);

  const object* tables_;
  image_store* images_;
  time_source now_;
  std::chrono::milliseconds quarantine_;
  std::vector<row_state> rows_;
};

}  // namespace nearside::dataplane
