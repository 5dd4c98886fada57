// SPDX-License-Identifier: BSD-2-Clause
// The slots of one size: who uses which, by content. A run is a row of consecutive slots with the alternatives of one
// answer; equal runs are stored once (the NODATA of a zone is one slot for all its names). Published images are never
// changed: a run that is let go rests in quarantine before it is written again. Owned by the publisher.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "agent/dataplane/image.hpp"

namespace nearside::dataplane {

class slot_pool {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `memory`: the mapped array of image_small or image_large; `answer_flags`: what a reference to this pool carries.
  template <typename Slot>
  slot_pool(std::span<Slot> memory, std::uint8_t answer_flags, std::chrono::milliseconds quarantine)
      : bytes_(reinterpret_cast<std::uint8_t*>(memory.data())),
        slot_size_(sizeof(Slot)),
        capacity_(static_cast<std::uint32_t>(memory.size())),
        answer_flags_(answer_flags),
        quarantine_(quarantine) {
    give_back(0, capacity_);
  }

  /// Taking over: the run that this reference in the kernel names. False: it is broken (out of range, overlapping
  /// another run, an image of another generation), and the word must be cleared.
  bool adopt(const answer_ref& ref);

  /// A reference to these images, shared with an equal run or written to free slots. nullopt: no room.
  std::optional<answer_ref> acquire(std::span<const image> images);
  /// One user less; the last one's slots go to quarantine until now + quarantine.
  void release(const answer_ref& ref, time_point now);
  /// Do the slots behind `ref` hold exactly these images?
  [[nodiscard]] bool holds(const answer_ref& ref, std::span<const image> images) const;
  /// Slots whose quarantine is over become free.
  void settle(time_point now);

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t written() const noexcept { return written_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
  /// When the first quarantine ends.
  [[nodiscard]] std::optional<time_point> next_settling() const noexcept;

 private:
  struct run {
    std::uint32_t length = 0;
    std::uint32_t users = 0;
    std::uint16_t generation = 0;
    std::size_t hash = 0;
  };
  struct resting {
    time_point until;
    std::uint32_t first = 0;
    std::uint32_t length = 0;
  };

  [[nodiscard]] std::uint8_t* slot(std::uint32_t index) const noexcept {
    return bytes_ + std::size_t{index} * slot_size_;
  }
  /// How an alternative is drawn is the reference's own affair.
  [[nodiscard]] bool is_of_this_pool(const answer_ref& ref) const noexcept {
    return (ref.flags & ~ANSWER_BY_CLIENT) == answer_flags_;
  }
  [[nodiscard]] answer_ref reference(std::uint32_t first, const run& r) const noexcept;
  [[nodiscard]] std::size_t hash_slots(std::uint32_t first, std::uint32_t length) const;
  [[nodiscard]] bool equal(std::uint32_t first, std::span<const image> images) const;
  void write(std::uint32_t index, const image& content, std::uint32_t generation) const;
  std::optional<std::uint32_t> take(std::uint32_t length);
  bool take_exactly(std::uint32_t first, std::uint32_t length);
  void give_back(std::uint32_t first, std::uint32_t length);

  std::uint8_t* bytes_;
  std::size_t slot_size_;
  std::uint32_t capacity_;
  std::uint8_t answer_flags_;
  std::chrono::milliseconds quarantine_;
  std::uint32_t generation_ = 0;
  std::size_t used_ = 0;
  std::size_t written_ = 0;
  std::unordered_map<std::uint32_t, run> runs_;                       // by first slot
  std::unordered_multimap<std::size_t, std::uint32_t> by_content_;    // hash of the content -> first slot
  std::map<std::uint32_t, std::uint32_t> free_;                       // first -> length of each gap
  std::set<std::pair<std::uint32_t, std::uint32_t>> free_by_length_;  // (length, first)
  std::deque<resting> resting_;
};

}  // namespace nearside::dataplane
