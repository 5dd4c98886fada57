// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/client_rows4.hpp"

#include <algorithm>
#include <array>

namespace nearside::dataplane {

namespace {

constexpr std::uint8_t block_bits = 24;     // a block is a /24, an element of sites4
constexpr std::uint32_t block_size = 256;   // addresses
constexpr std::size_t most_rebuilt = 1000;  // by one settle()
constexpr std::size_t spare_entries = 3;

constexpr std::uint32_t word_of(std::uint32_t site, std::uint8_t length) noexcept {
  return site_word(site) | (length & ROW_LENGTH_MASK) << ROW_LENGTH_SHIFT;
}

constexpr std::uint8_t length_of(std::uint32_t word) noexcept {
  return static_cast<std::uint8_t>(word >> ROW_LENGTH_SHIFT & ROW_LENGTH_MASK);
}

// In rows4 there is no row of no bits: 0 stands for 32.
constexpr std::uint8_t length_inside(std::uint32_t word) noexcept {
  return length_of(word) == 0 ? std::uint8_t{32} : length_of(word);
}

constexpr std::uint32_t masked(std::uint32_t address, std::uint8_t length) noexcept {
  return length == 0 ? 0 : address & ~std::uint32_t{0} << (32 - length);
}

constexpr bool has_row(std::uint32_t word) noexcept { return (word & ROW_SITE) != 0; }

}  // namespace

client_rows4::client_rows4(const object& tables, const row_map4& rows)
    : tables_(&tables), rows_(&rows), sites4_(tables.sites4()) {}

void client_rows4::clear() {
  if (sites4_.size() != SITES4_COUNT) {
    // Made for a node without mapping: nothing is known here.
    for (std::uint32_t& word : sites4_) store_word(&word, ROW_PASS);
    return;
  }
  inside_.assign(SITES4_COUNT, 0);
  crowded_.clear(SITES4_COUNT);
  entries_ = 0;
}

// ---- rows ----

void client_rows4::put(std::uint32_t address, std::uint8_t length) {
  if (inside_.empty()) return;
  const std::uint32_t word = word_of(rows_->at(key_of4(address, length)).site, length);
  if (length > block_bits) {
    put_inside(address, length, word);
    return;
  }
  const std::size_t first = address >> 8;
  const std::size_t count = std::size_t{1} << (block_bits - length);
  for (std::uint32_t& there : sites4_.subspan(first, count)) {
    const std::uint32_t old = there;
    if (has_row(old) && length_of(old) > length) continue;
    if ((old & ROW_SITE) == ROW_PASS && crowded_.contains(static_cast<std::uint32_t>(&there - sites4_.data())))
      continue;
    store_word(&there, word | (old & SITES4_LONGER));
  }
}

void client_rows4::erase(std::uint32_t address, std::uint8_t length) {
  if (inside_.empty()) return;
  if (length > block_bits) {
    erase_inside(address, length);
    return;
  }
  const std::uint32_t instead = length == 0 ? 0 : covering(address, 0, length);
  const std::size_t first = address >> 8;
  const std::size_t count = std::size_t{1} << (block_bits - length);
  for (std::uint32_t& there : sites4_.subspan(first, count)) {
    const std::uint32_t old = there;
    if (!has_row(old) || length_of(old) != length) continue;
    if ((old & ROW_SITE) == ROW_PASS && crowded_.contains(static_cast<std::uint32_t>(&there - sites4_.data())))
      continue;
    store_word(&there, instead | (old & SITES4_LONGER));
  }
}

void client_rows4::put_inside(std::uint32_t address, std::uint8_t length, std::uint32_t word) {
  const std::uint32_t block = address >> 8;
  if (crowded_.contains(block)) return;
  const std::uint32_t count = 1u << (32 - length);
  for (std::uint32_t i = 0; i < count; ++i) {
    const row4* const there = find(address + i).entry;
    if (there != nullptr && length_inside(there->word) > length) continue;
    if (set_entry(address + i, word)) continue;
    crowd(block);
    return;
  }
}

void client_rows4::erase_inside(std::uint32_t address, std::uint8_t length) {
  const std::uint32_t block = address >> 8;
  if (crowded_.contains(block)) {
    room_ = true;
    return;
  }
  const std::uint32_t instead = covering(address, block_bits + 1, length);
  const std::uint32_t count = 1u << (32 - length);
  for (std::uint32_t i = 0; i < count; ++i) {
    const row4* const there = find(address + i).entry;
    if (there == nullptr || length_inside(there->word) != length) continue;
    if (instead != 0) {
      (void)set_entry(address + i, instead);
    } else {
      remove_entry(address + i);
    }
  }
}

std::uint32_t client_rows4::covering(std::uint32_t address, std::uint8_t from, std::uint8_t below) const {
  for (std::uint8_t length = below; length-- > from;) {
    const auto row = rows_->find(key_of4(masked(address, length), length));
    if (row != rows_->end()) return word_of(row->second.site, length);
  }
  return 0;
}

// ---- entries ----

client_rows4::place client_rows4::find(std::uint32_t address) const noexcept {
  const auto buckets = tables_->rows4();
  const std::uint64_t hash = hash_of_address4(address);
  const auto count = static_cast<std::uint32_t>(buckets.size());
  place found;
  std::size_t most_vacant = 0;
  for (const std::uint32_t index : {first_bucket(hash, count), second_bucket(hash, count)}) {
    std::size_t vacant = 0;
    row4* one = nullptr;
    for (row4& entry : buckets[index].rows) {
      if (entry.word == 0) {
        ++vacant;
        if (one == nullptr) one = &entry;
      } else if (entry.address == address) {
        found.entry = &entry;
        return found;
      }
    }
    // The first bucket, which is asked first, as long as it is not crowded; then the emptier one.
    if (vacant > most_vacant && most_vacant < spare_entries) {
      most_vacant = vacant;
      found.vacant = one;
    }
  }
  return found;
}

bool client_rows4::set_entry(std::uint32_t address, std::uint32_t word) {
  const place found = find(address);
  row4* const to = found.entry != nullptr ? found.entry : found.vacant;
  if (to == nullptr) return false;
  const std::uint64_t both = std::uint64_t{word} << 32 | address;
  store_word(to, both);
  if (found.entry != nullptr) return true;
  ++entries_;
  const std::uint32_t block = address >> 8;
  if ((sites4_[block] & SITES4_LONGER) != 0) {
    ++inside_[block];
  } else {
    inside_[block] = 0;
    store_word(&sites4_[block], sites4_[block] | SITES4_LONGER);
  }
  return true;
}

void client_rows4::remove_entry(std::uint32_t address) {
  row4* const there = find(address).entry;
  if (there == nullptr) return;
  const std::uint32_t block = address >> 8;
  if (inside_[block] == 0) {
    store_word(&sites4_[block], sites4_[block] & ~SITES4_LONGER);
  } else {
    --inside_[block];
  }
  store_word(there, std::uint64_t{0});
  --entries_;
  room_ = true;
}

// ---- what finds no room ----

void client_rows4::crowd(std::uint32_t block) {
  crowded_.insert(block);
  store_word(&sites4_[block], sites4_[block] | ROW_PASS);
}

// Brings a block that passes to what its rows say. False: there is still no room.
bool client_rows4::rebuild(std::uint32_t block) {
  std::array<std::uint32_t, block_size> wanted{};
  const std::uint32_t base = block << 8;
  for (std::uint8_t length = block_bits + 1; length <= 32; ++length) {
    const std::uint32_t step = 1u << (32 - length);
    for (std::uint32_t at = 0; at < block_size; at += step) {
      const auto row = rows_->find(key_of4(base + at, length));
      if (row == rows_->end()) continue;
      std::fill_n(wanted.begin() + at, step, word_of(row->second.site, length));
    }
  }
  for (std::uint32_t at = 0; at < block_size; ++at) {
    if (wanted[at] == 0) remove_entry(base + at);
  }
  for (std::uint32_t at = 0; at < block_size; ++at) {
    if (wanted[at] != 0 && !set_entry(base + at, wanted[at])) return false;
  }
  crowded_.erase(block);
  store_word(&sites4_[block], covering(base, 0, block_bits + 1) | (sites4_[block] & SITES4_LONGER));
  return true;
}

void client_rows4::settle() {
  if (!room_ || crowded_.size() == 0) return;
  room_ = false;
  for (std::size_t done = 0; done < most_rebuilt; ++done) {
    const auto next = crowded_.next(tried_);
    if (!next) {
      tried_ = 0;
      return;
    }
    tried_ = *next + 1;
    (void)rebuild(*next);
  }
  room_ = true;  // the others' turn comes
}

}  // namespace nearside::dataplane
