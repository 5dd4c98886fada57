// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/toml_reader.hpp"

// The one place that sees toml++: compiled in here, so that a wrong file is a value and not an exception, and values
// nest no deeper than a configuration needs.
//
// toml++ 3.3 asserts that a key follows the bracket of a table's header, and would end the agent where an operator left
// a line end there; without the assertion its next lines report that as an error. NDEBUG would turn the assertions into
// assumptions for the optimiser instead.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "agent/config/durations.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

using std::chrono::milliseconds;

place begin_of(const toml::node& node) { return {node.source().begin.line, node.source().begin.column}; }

/// What was found, for the end of a message.
std::string describe(const toml::node& node) {
  if (const auto* text = node.as_string()) return "the string " + in_quotes(text->get());
  if (const auto* number = node.as_integer()) return "the integer " + std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (node.is_floating_point()) return "a number with a fraction";
  if (node.is_array_of_tables()) return "an array of tables";
  if (node.is_array()) return "an array";
  if (node.is_table()) return "a table";
  return "a date or a time";
}

/// Where a key could have more parts than this. toml++ 3.3 makes a table of each part of a dotted key and takes the
/// tables apart recursively: some ten thousand parts end the stack. A domain name has at most 127 labels, so no honest
/// line comes near.
std::optional<place> too_deep(std::string_view text) {
  constexpr std::size_t most_dots = 256;
  std::size_t dots = 0;
  place at{1, 0};
  for (const char c : text) {
    ++at.column;
    if (c == '.' && ++dots > most_dots) return at;
    if (c == '=' || c == ',' || c == '[' || c == '{' || c == '\n') dots = 0;
    if (c == '\n') at = {at.line + 1, 0};
  }
  return std::nullopt;
}

std::string range(const std::string& least, const std::string& most) { return " from " + least + " to " + most; }

}  // namespace

table_reader::table_reader(const toml::table& table, std::string path, problem_list& problems)
    : table_(&table), path_(std::move(path)), problems_(&problems) {}

const toml::node* table_reader::take(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  return table_->get(key);
}

std::string table_reader::full_name(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void table_reader::complain(std::string_view key, place where, const std::string& message) {
  problems_->add(where, full_name(key) + ": " + message);
}

void table_reader::expected(std::string_view key, const toml::node& found, const std::string& what) {
  complain(key, begin_of(found), "expected " + what + ", found " + describe(found));
}

std::optional<located<std::string>> table_reader::text(std::string_view key) {
  const toml::node* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->as_string())
    return located<std::string>{text->get(), begin_of(*found), found->source().end.line};
  expected(key, *found, "a string");
  return std::nullopt;
}

std::optional<located<std::int64_t>> table_reader::integer(std::string_view key, std::int64_t least,
                                                           std::int64_t most) {
  const toml::node* found = take(key);
  if (found == nullptr) return std::nullopt;
  const auto* number = found->as_integer();
  if (number != nullptr && number->get() >= least && number->get() <= most)
    return located<std::int64_t>{number->get(), begin_of(*found), found->source().end.line};
  expected(key, *found, "an integer" + range(std::to_string(least), std::to_string(most)));
  return std::nullopt;
}

std::optional<located<milliseconds>> table_reader::duration(std::string_view key, milliseconds least,
                                                            milliseconds most) {
  const toml::node* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->as_string()) {
    const auto value = parse_duration(text->get());
    if (value && *value >= least && *value <= most)
      return located<milliseconds>{*value, begin_of(*found), found->source().end.line};
  }
  expected(key, *found,
           "a duration with its unit" + range(in_quotes(duration_text(least)), in_quotes(duration_text(most))));
  return std::nullopt;
}

std::optional<located<std::uint32_t>> table_reader::seconds(std::string_view key, std::chrono::seconds least,
                                                            std::chrono::seconds most) {
  const auto found = duration(key, least, most);
  if (!found) return std::nullopt;
  if (found->value.count() % 1000 != 0) {
    complain(key, found->at, "expected whole seconds, found " + in_quotes(duration_text(found->value)));
    return std::nullopt;
  }
  return located<std::uint32_t>{static_cast<std::uint32_t>(found->value.count() / 1000), found->at, found->last_line};
}

std::optional<std::size_t> table_reader::one_of(std::string_view key, std::span<const std::string_view> words) {
  const auto found = text(key);
  if (!found) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == found->value) return i;
  }
  complain(key, found->at, "expected " + alternatives(words) + ", found " + in_quotes(found->value));
  return std::nullopt;
}

std::optional<located<std::vector<located<std::string>>>> table_reader::texts(std::string_view key) {
  const toml::node* found = take(key);
  if (found == nullptr) return std::nullopt;
  const auto* array = found->as_array();
  if (array == nullptr) {
    expected(key, *found, "an array of strings");
    return std::nullopt;
  }
  located<std::vector<located<std::string>>> all{{}, begin_of(*found), found->source().end.line};
  for (const toml::node& element : *array) {
    if (const auto* text = element.as_string())
      all.value.push_back({text->get(), begin_of(element), element.source().end.line});
    else
      expected(key, element, "a string");
  }
  return all;
}

std::optional<table_reader> table_reader::table(std::string_view key) {
  const toml::node* found = take(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* table = found->as_table()) return table_reader(*table, full_name(key), *problems_);
  expected(key, *found, "a table, [" + full_name(key) + "]");
  return std::nullopt;
}

std::vector<table_reader> table_reader::tables(std::string_view key) {
  const toml::node* found = take(key);
  std::vector<table_reader> all;
  if (found == nullptr) return all;
  const std::string wanted = "an array of tables, [[" + full_name(key) + "]]";
  const auto* array = found->as_array();
  if (array == nullptr) {
    expected(key, *found, wanted);
    return all;
  }
  for (const toml::node& element : *array) {
    if (const auto* table = element.as_table())
      all.emplace_back(*table, full_name(key), *problems_);
    else
      expected(key, element, wanted);
  }
  return all;
}

bool table_reader::has(std::string_view key) const { return table_->get(key) != nullptr; }

place table_reader::at() const { return begin_of(*table_); }

place table_reader::at(std::string_view key) const {
  const toml::node* found = table_->get(key);
  return found == nullptr ? at() : begin_of(*found);
}

void table_reader::finish() {
  for (const auto& [key, value] : *table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    std::string message = "unknown key " + in_quotes(path_.empty() ? key.str() : full_name(key.str()));
    if (const auto meant = nearest(key.str(), known_); !meant.empty())
      message += ", did you mean " + in_quotes(meant) + "?";
    problems_->add({key.source().begin.line, key.source().begin.column}, std::move(message));
  }
}

std::optional<toml_document> toml_document::parse(std::string_view text, problem_list& problems) {
  if (const auto at = too_deep(text)) {
    problems.add(*at, "expected at most 256 dots in a row, found more: tables do not nest so deep");
    return std::nullopt;
  }
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& at = parsed.error().source().begin;
    problems.add({at.line, at.column}, "not TOML: " + std::string(parsed.error().description()));
    return std::nullopt;
  }
  return toml_document(std::make_unique<toml::table>(std::move(parsed).table()));
}

toml_document::toml_document(std::unique_ptr<toml::table> root) : root_(std::move(root)) {}
toml_document::toml_document(toml_document&&) noexcept = default;
toml_document::~toml_document() = default;

table_reader toml_document::root(problem_list& problems) const { return {*root_, {}, problems}; }

}  // namespace nearside::config
