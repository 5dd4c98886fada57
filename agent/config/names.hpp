// SPDX-License-Identifier: BSD-2-Clause
// The names that operators give to checks, servers and sites, and the list by which a reference finds what it means.
// Used while a configuration is loaded.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/config/toml_reader.hpp"

namespace nearside::config {

constexpr std::size_t longest_name = 128;

/// Letters, digits, '-', '_' and '.', at most 128 of them. So a name has no meaning in a pattern, in the path-like
/// labels of targets, or on a terminal.
[[nodiscard]] bool is_name(std::string_view text);

/// Reads `key`, a name; nothing where it is absent, or wrong: then the problem is noted.
std::optional<located<std::string>> read_name(table_reader& table, std::string_view key);

/// Names, and the places of what they name in a list.
class name_index {
 public:
  /// The line of the earlier one where the name is there already, else 0.
  std::size_t add(const located<std::string>& name, std::size_t index);
  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const;
  /// `, did you mean "web"?`, or nothing where no name is near.
  [[nodiscard]] std::string meant(std::string_view word) const;

 private:
  struct entry {
    std::size_t index;
    std::size_t line;
  };
  std::unordered_map<std::string, entry> entries_;
  std::vector<std::string> names_;
  // A file with very many names and very many slips of the pen must not take minutes: after so many comparisons there
  // are no more suggestions.
  mutable std::size_t comparisons_left_ = 500'000;
};

/// Reads `checks`: the indices of the checks that the array names, each once, at most 16. What is wrong in it is noted
/// and left out. Nothing where the key is absent.
std::optional<std::vector<std::size_t>> read_check_names(table_reader& table, const name_index& checks);

}  // namespace nearside::config
