// SPDX-License-Identifier: BSD-2-Clause
// A set of /24s by their number, as bits: 2 MiB, however many there are. Owned by client_rows4.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nearside::dataplane {

class block_set {
 public:
  /// None, of numbers below `blocks`.
  void clear(std::size_t blocks) {
    words_.assign((blocks + 63) / 64, 0);
    count_ = 0;
  }
  void insert(std::uint32_t block) {
    count_ += contains(block) ? 0 : 1;
    words_[block / 64] |= bit(block);
  }
  void erase(std::uint32_t block) {
    count_ -= contains(block) ? 1 : 0;
    words_[block / 64] &= ~bit(block);
  }
  [[nodiscard]] bool contains(std::uint32_t block) const { return (words_[block / 64] & bit(block)) != 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// The lowest that is not below `from`.
  [[nodiscard]] std::optional<std::uint32_t> next(std::uint32_t from) const {
    for (std::size_t word = from / 64; word < words_.size(); ++word) {
      const std::uint64_t left = word == from / 64 ? words_[word] & ~std::uint64_t{0} << from % 64 : words_[word];
      if (left != 0) return static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(left)));
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint64_t bit(std::uint32_t block) noexcept { return std::uint64_t{1} << block % 64; }

  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace nearside::dataplane
