// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/names.hpp"

#include <algorithm>

#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

constexpr std::size_t most_checks_together = 16;

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

std::optional<located<std::string>> read_name(table_reader& table, std::string_view key) {
  auto found = table.text(key);
  if (!found || is_name(found->value)) return found;
  table.complain(key, found->at,
                 "expected 1 to " + std::to_string(longest_name) + R"( letters, digits, "-", "_" and ".", found )" +
                     in_quotes(found->value));
  return std::nullopt;
}

std::size_t name_index::add(const located<std::string>& name, std::size_t index) {
  const auto [there, is_new] = entries_.emplace(name.value, entry{index, name.at.line});
  if (!is_new) return there->second.line;
  names_.push_back(name.value);
  return 0;
}

std::optional<std::size_t> name_index::find(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return found->second.index;
}

std::string name_index::meant(std::string_view word) const {
  if (names_.size() > comparisons_left_) return {};
  comparisons_left_ -= names_.size();
  const std::vector<std::string_view> known(names_.begin(), names_.end());
  const auto near = nearest(word, known);
  return near.empty() ? std::string() : ", did you mean " + in_quotes(near) + "?";
}

std::optional<std::vector<std::size_t>> read_check_names(table_reader& table, const name_index& checks) {
  const auto found = table.texts("checks");
  if (!found) return std::nullopt;
  if (found->value.size() > most_checks_together) {
    table.complain("checks", found->at,
                   "expected at most " + std::to_string(most_checks_together) + " checks, found " +
                       std::to_string(found->value.size()));
    return std::vector<std::size_t>();
  }
  std::vector<std::size_t> indices;
  for (const auto& text : found->value) {
    const auto index = checks.find(text.value);
    if (!index) {
      table.complain("checks", text.at,
                     "expected the name of a [[check]], found " + in_quotes(text.value) + checks.meant(text.value));
    } else if (std::find(indices.begin(), indices.end(), *index) != indices.end()) {
      table.complain("checks", text.at, in_quotes(text.value) + " is given twice");
    } else {
      indices.push_back(*index);
    }
  }
  return indices;
}

}  // namespace nearside::config
