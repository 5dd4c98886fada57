// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/client_rows6.hpp"

#include <algorithm>
#include <cstddef>

namespace nearside::dataplane {

namespace {

constexpr std::size_t most_tried = 1000;  // by one settle()
constexpr std::size_t spare_entries = 3;

constexpr std::uint64_t word_of(std::uint32_t site, std::uint32_t tag_and_length) noexcept {
  return std::uint64_t{tag_and_length} << 32 | site_word(site);
}

}  // namespace

client_rows6::client_rows6(const object& tables, const row_map6& rows, std::chrono::milliseconds quarantine)
    : tables_(&tables), rows_(&rows), quarantine_(quarantine), with_length_(MAX_LENGTH6 + 1) {}

void client_rows6::clear() {
  missing_.clear();
  resting_.clear();
  rests_until_.clear();
  with_length_.assign(with_length_.size(), 0);
  entries_ = 0;
  tell_missing();
  tell_lengths();
}

// ---- rows ----

void client_rows6::put(const key6& row) {
  if (set_entry(row)) {
    if (missing_.erase(row) > 0) tell_missing();
    return;
  }
  missing_.insert(row);
  tell_missing();
}

void client_rows6::erase(const key6& row, time_point now) {
  if (missing_.erase(row) > 0) {
    tell_missing();
    return;
  }
  row6* const entry = find(row).entry;
  if (entry == nullptr) return;
  // The upper half stays: so the entry looks neither free nor like a row.
  store_word(&entry->site, std::uint64_t{entry->tag_and_length} << 32);
  rest(entry, now);
  --entries_;
  if (--with_length_[row.second] > 0) return;
  tell_lengths();
  room_ = true;
}

void client_rows6::settle(time_point now) {
  while (!resting_.empty() && resting_.front().first <= now) {
    const auto [until, entry] = resting_.front();
    resting_.pop_front();
    const auto last = rests_until_.find(entry);
    if (last == rests_until_.end() || last->second != until) continue;
    rests_until_.erase(last);
    store_word(&entry->site, std::uint64_t{0});
    room_ = true;
  }
  if (!room_ || missing_.empty()) return;
  room_ = false;
  std::size_t tried = 0;
  for (auto row = missing_.begin(); row != missing_.end() && tried < most_tried; ++tried) {
    row = set_entry(*row) ? missing_.erase(row) : std::next(row);
  }
  tell_missing();
}

// ---- entries ----

client_rows6::place client_rows6::find(const key6& row) const noexcept {
  const auto buckets = tables_->rows6();
  const std::uint64_t hash = hash_of_prefix6(row.first, row.second);
  const std::uint32_t tag_and_length = tag_of_row6(hash, row.second);
  const auto count = static_cast<std::uint32_t>(buckets.size());
  place found;
  row6* own = nullptr;
  std::size_t most_vacant = 0;
  for (const std::uint32_t index : {first_bucket(hash, count), second_bucket(hash, count)}) {
    std::size_t vacant = 0;
    row6* one = nullptr;
    for (row6& entry : buckets[index].rows) {
      if (entry.site == 0 && entry.tag_and_length == 0) {
        ++vacant;
        if (one == nullptr) one = &entry;
      } else if (entry.tag_and_length == tag_and_length && entry.prefix == row.first) {
        if (entry.site != 0) {
          found.entry = &entry;
          return found;
        }
        own = &entry;
      }
    }
    // The first bucket, which is asked first, as long as it is not crowded; then the emptier one.
    if (vacant > most_vacant && most_vacant < spare_entries) {
      most_vacant = vacant;
      found.vacant = one;
    }
  }
  // The entry that was this row's own rests, but not from itself.
  if (own != nullptr) found.vacant = own;
  return found;
}

void client_rows6::rest(row6* entry, time_point now) {
  resting_.emplace_back(now + quarantine_, entry);
  rests_until_[entry] = now + quarantine_;
}

// One of the lengths is kept for /64, that of a resolver's egress address.
bool client_rows6::may_use(std::uint8_t length) const noexcept {
  if (length == MAX_LENGTH6 || with_length_[length] > 0) return true;
  return std::count_if(with_length_.begin(), with_length_.end() - 1, [](std::size_t n) { return n > 0; }) <
         MAX_LENGTHS6 - 1;
}

bool client_rows6::set_entry(const key6& row) {
  const std::uint32_t tag_and_length = tag_of_row6(hash_of_prefix6(row.first, row.second), row.second);
  const std::uint64_t word = word_of(rows_->at(row).site, tag_and_length);
  const place found = find(row);
  if (found.entry != nullptr) {
    store_word(&found.entry->site, word);
    return true;
  }
  if (found.vacant == nullptr || !may_use(row.second)) return false;
  rests_until_.erase(found.vacant);
  store_word(&found.vacant->prefix, row.first);
  store_word(&found.vacant->site, word);
  ++entries_;
  if (++with_length_[row.second] == 1) tell_lengths();
  return true;
}

// ---- what the program is told beside ----

void client_rows6::tell_lengths() const noexcept {
  std::uint64_t lengths = 0;
  std::uint32_t at = 0;
  for (std::size_t length = MAX_LENGTH6 + 1; length-- > 0 && at < 64;) {
    if (with_length_[length] == 0) continue;
    lengths |= std::uint64_t{length + 1} << at;
    at += 8;
  }
  store_word(&tables_->config().lengths6, lengths);
}

void client_rows6::tell_missing() const noexcept {
  const std::atomic_ref<__u32> flags(tables_->config().flags);
  if (missing_.empty()) {
    flags.fetch_and(~CONFIG_ROWS6_MISSING, std::memory_order_release);
  } else {
    flags.fetch_or(CONFIG_ROWS6_MISSING, std::memory_order_release);
  }
}

}  // namespace nearside::dataplane
