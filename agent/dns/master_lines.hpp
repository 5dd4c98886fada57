// SPDX-License-Identifier: BSD-2-Clause
// Splits the text of a master file into entries (RFC 1035 5.1): comments taken out, parentheses resolved, each with the
// number of the line it begins on. Used by master_file while a configuration is loaded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nearside::dns {

/// One entry: a record or a directive on a single line. A space at its front means that the owner is the last one
/// stated.
struct master_entry {
  std::string text;
  std::size_t line = 0;  // counted from 1
  std::string fault;     // empty, or why the entry cannot be read
};

/// Walks over the text, which must live as long as it.
class master_lines {
 public:
  explicit master_lines(std::string_view text) noexcept : rest_(text) {}

  /// Puts the next entry that is not blank into `entry`; false at the end of the text.
  bool next(master_entry& entry);

 private:
  void read_entry(master_entry& entry);

  std::string_view rest_;
  std::size_t line_ = 1;
};

}  // namespace nearside::dns
