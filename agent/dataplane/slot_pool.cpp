// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/slot_pool.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace nearside::dataplane {

namespace {

// The fields before the octets, which both sizes of slot have in common.
struct header {
  IMAGE_HEADER_FIELDS
};
static_assert(sizeof(header) == IMAGE_HEADER);

header header_of(const image& content) {
  header h{};
  h.length = static_cast<__u16>(content.octets.size());
  h.checksum = content.checksum;
  h.ancount = htons(content.ancount);
  h.nscount = htons(content.nscount);
  h.arcount = htons(content.arcount);
  h.zone_pointer = content.zone_pointer;
  h.verdict = content.verdict;
  h.flags = content.flags;
  h.share = content.share;
  h.other = content.other;
  return h;
}

header read_header(const std::uint8_t* slot) {
  header h{};
  std::memcpy(&h, slot, sizeof h);
  return h;
}

// Eight octets a step, as it is on the way of every change of an answer. Equal contents are compared after it.
std::size_t mix(std::size_t hash, const std::uint8_t* octets, std::size_t length) noexcept {
  for (std::size_t at = 0; at < length; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets + at, std::min(length - at, sizeof word));
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

// Without the generation, which is the slot's and not the content's.
std::size_t mix(std::size_t hash, header h, const std::uint8_t* octets) noexcept {
  h.generation = 0;
  hash = mix(hash, reinterpret_cast<const std::uint8_t*>(&h), sizeof h);
  return mix(hash, octets, h.length);
}

std::size_t hash_images(std::span<const image> images) noexcept {
  std::size_t hash = images.size();
  for (const image& i : images) hash = mix(hash, header_of(i), i.octets.data());
  return hash;
}

}  // namespace

answer_ref slot_pool::reference(std::uint32_t first, const run& r) const noexcept {
  answer_ref ref{};
  ref.slot = first;
  ref.generation = r.generation;
  ref.alternatives = static_cast<__u8>(r.length);
  ref.flags = answer_flags_;
  return ref;
}

std::size_t slot_pool::hash_slots(std::uint32_t first, std::uint32_t length) const {
  std::size_t hash = length;
  for (std::uint32_t i = first; i < first + length; ++i) hash = mix(hash, read_header(slot(i)), slot(i) + IMAGE_HEADER);
  return hash;
}

bool slot_pool::equal(std::uint32_t first, std::span<const image> images) const {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::uint8_t* const there = slot(first + static_cast<std::uint32_t>(i));
    header h = read_header(there);
    h.generation = 0;
    const header wanted = header_of(images[i]);
    if (std::memcmp(&h, &wanted, sizeof h) != 0) return false;
    if (std::memcmp(there + IMAGE_HEADER, images[i].octets.data(), images[i].octets.size()) != 0) return false;
  }
  return true;
}

bool slot_pool::holds(const answer_ref& ref, std::span<const image> images) const {
  return ref.alternatives == images.size() && is_of_this_pool(ref) && equal(ref.slot, images);
}

void slot_pool::write(std::uint32_t index, const image& content, std::uint32_t generation) const {
  std::uint8_t* const there = slot(index);
  const std::atomic_ref<std::uint32_t> word(*reinterpret_cast<std::uint32_t*>(there));
  // A reader that still has this slot in hand must find no generation while the octets change under its eyes.
  word.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const header h = header_of(content);
  std::memcpy(there + sizeof h.generation, reinterpret_cast<const std::uint8_t*>(&h) + sizeof h.generation,
              sizeof h - sizeof h.generation);
  std::memcpy(there + IMAGE_HEADER, content.octets.data(), content.octets.size());
  // The program copies in words of eight octets: what follows the content must not be another answer's.
  std::memset(there + IMAGE_HEADER + content.octets.size(), 0, slot_size_ - IMAGE_HEADER - content.octets.size());
  word.store(generation, std::memory_order_release);
}

bool slot_pool::adopt(const answer_ref& ref) {
  const std::uint32_t length = ref.alternatives;
  if (length == 0 || ref.slot >= capacity_ || length > capacity_ - ref.slot || !is_of_this_pool(ref)) return false;
  if (const auto known = runs_.find(ref.slot); known != runs_.end()) {
    if (known->second.length != length || known->second.generation != ref.generation) return false;
    ++known->second.users;
    return true;
  }
  for (std::uint32_t i = ref.slot; i < ref.slot + length; ++i) {
    const header h = read_header(slot(i));
    if ((h.generation & 0xffff) != ref.generation || h.generation == 0 || h.length > slot_size_ - IMAGE_HEADER)
      return false;
    generation_ = std::max(generation_, h.generation);
  }
  if (!take_exactly(ref.slot, length)) return false;
  const run adopted{length, 1, ref.generation, hash_slots(ref.slot, length)};
  by_content_.emplace(adopted.hash, ref.slot);
  runs_.emplace(ref.slot, adopted);
  used_ += length;
  return true;
}

std::optional<answer_ref> slot_pool::acquire(std::span<const image> images) {
  const std::size_t hash = hash_images(images);
  const auto length = static_cast<std::uint32_t>(images.size());
  const auto [begin, end] = by_content_.equal_range(hash);
  for (auto i = begin; i != end; ++i) {
    run& candidate = runs_.at(i->second);
    if (candidate.length == length && equal(i->second, images)) {
      ++candidate.users;
      return reference(i->second, candidate);
    }
  }
  const auto first = take(length);
  if (!first) return std::nullopt;
  // References carry the low 16 bits, and zero there means that nothing is published.
  ++generation_;
  if ((generation_ & 0xffff) == 0) ++generation_;
  for (std::uint32_t i = 0; i < length; ++i) write(*first + i, images[i], generation_);
  const run fresh{length, 1, static_cast<std::uint16_t>(generation_ & 0xffff), hash};
  by_content_.emplace(hash, *first);
  runs_.emplace(*first, fresh);
  used_ += length;
  written_ += length;
  return reference(*first, fresh);
}

void slot_pool::release(const answer_ref& ref, time_point now) {
  const auto found = runs_.find(ref.slot);
  if (found == runs_.end() || --found->second.users > 0) return;
  const auto [begin, end] = by_content_.equal_range(found->second.hash);
  for (auto i = begin; i != end; ++i) {
    if (i->second == ref.slot) {
      by_content_.erase(i);
      break;
    }
  }
  used_ -= found->second.length;
  resting_.push_back({now + quarantine_, ref.slot, found->second.length});
  runs_.erase(found);
}

void slot_pool::settle(time_point now) {
  while (!resting_.empty() && resting_.front().until <= now) {
    give_back(resting_.front().first, resting_.front().length);
    resting_.pop_front();
  }
}

std::optional<slot_pool::time_point> slot_pool::next_settling() const noexcept {
  if (resting_.empty()) return std::nullopt;
  return resting_.front().until;
}

std::optional<std::uint32_t> slot_pool::take(std::uint32_t length) {
  // The shortest gap that is long enough keeps the long ones for answers with many alternatives.
  const auto gap = free_by_length_.lower_bound({length, 0});
  if (gap == free_by_length_.end()) return std::nullopt;
  const std::uint32_t first = gap->second;
  take_exactly(first, length);
  return first;
}

bool slot_pool::take_exactly(std::uint32_t first, std::uint32_t length) {
  auto gap = free_.upper_bound(first);
  if (gap == free_.begin()) return false;
  --gap;
  const auto [gap_first, gap_length] = *gap;
  if (gap_first + gap_length < first + length) return false;
  free_by_length_.erase({gap_length, gap_first});
  free_.erase(gap);
  const auto keep = [this](std::uint32_t from, std::uint32_t to) {
    if (from == to) return;
    free_.emplace(from, to - from);
    free_by_length_.emplace(to - from, from);
  };
  keep(gap_first, first);
  keep(first + length, gap_first + gap_length);
  return true;
}

void slot_pool::give_back(std::uint32_t first, std::uint32_t length) {
  const auto forget = [this](std::map<std::uint32_t, std::uint32_t>::iterator gap) {
    free_by_length_.erase({gap->second, gap->first});
    free_.erase(gap);
  };
  if (const auto after = free_.find(first + length); after != free_.end()) {
    length += after->second;
    forget(after);
  }
  if (auto before = free_.upper_bound(first); before != free_.begin()) {
    --before;
    if (before->first + before->second == first) {
      first = before->first;
      length += before->second;
      forget(before);
    }
  }
  free_.emplace(first, length);
  free_by_length_.emplace(length, first);
}

}  // namespace nearside::dataplane
