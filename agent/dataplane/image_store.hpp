// SPDX-License-Identifier: BSD-2-Clause
// Where images are kept: the small slots, and the large ones for what does not fit or when the small have run out.
// Shared by the answer sets and the answers by site; owned by the publisher, on its thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "agent/dataplane/image.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish_stats.hpp"
#include "agent/dataplane/slot_pool.hpp"

namespace nearside::dataplane {

/// No answer is prepared.
[[nodiscard]] inline bool is_empty(const answer_ref& ref) noexcept { return ref.alternatives == 0; }

[[nodiscard]] inline bool equal(const answer_ref& a, const answer_ref& b) noexcept {
  return a.slot == b.slot && a.generation == b.generation && a.alternatives == b.alternatives && a.flags == b.flags;
}

class image_store {
 public:
  using time_source = std::function<slot_pool::time_point()>;

  /// `tables` must outlive it. `quarantine`: how long a slot rests after its answer was taken away.
  image_store(const object& tables, time_source now, std::chrono::milliseconds quarantine);

  /// Taking over; false: the reference is broken, and its word must be cleared.
  [[nodiscard]] bool adopt(const answer_ref& ref) { return pool_of(ref).adopt(ref); }
  /// A reference to these images; nullopt: no slots are free.
  std::optional<answer_ref> acquire(const answer_images& wanted);
  /// One user less of what a word refers to, which may be nothing, or the answers by site.
  void release(const answer_ref& ref);
  /// Whether a word with this reference, which may be empty, answers just this.
  [[nodiscard]] bool says(const answer_ref& ref, const answer_images& wanted) const;

  /// Slots whose quarantine is over become free.
  void settle();
  /// When the first quarantine ends.
  [[nodiscard]] std::optional<slot_pool::time_point> next_settling() const noexcept;
  /// Images written since the start.
  [[nodiscard]] std::size_t written() const noexcept { return small_.written() + large_.written(); }
  /// Fills in the slots in use.
  void summarize(publish_stats& stats) const;

 private:
  [[nodiscard]] const slot_pool& pool_of(const answer_ref& ref) const noexcept {
    return (ref.flags & ANSWER_LARGE) != 0 ? large_ : small_;
  }
  [[nodiscard]] slot_pool& pool_of(const answer_ref& ref) noexcept {
    return (ref.flags & ANSWER_LARGE) != 0 ? large_ : small_;
  }

  time_source now_;
  slot_pool small_;
  slot_pool large_;
};

}  // namespace nearside::dataplane
