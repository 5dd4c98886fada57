// SPDX-License-Identifier: BSD-2-Clause
// Typed access to a TOML document: every value is read with its type and its bounds, what does not fit becomes a
// problem at its line and column, and a key that nobody read is a problem too. Used by load() on its caller's thread;
// toml++ stays inside.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/problem.hpp"

namespace toml {
inline namespace v3 {
class node;
class table;
}  // namespace v3
}  // namespace toml

namespace nearside::config {

/// A value and where it stands in the file.
template <typename T>
struct located {
  T value;
  place at;
  std::size_t last_line = 0;  // where it ends
};

/// One table of the document, which must outlive it. Every read of a key tells the reader that the key exists;
/// finish() then complains about the keys that were never asked for.
class table_reader {
 public:
  /// `path` is how messages call it: "edge"; empty for the whole document.
  table_reader(const toml::table& table, std::string path, problem_list& problems);

  /// Nothing where the key is absent, or present and wrong: then the problem is noted.
  std::optional<located<std::string>> text(std::string_view key);
  std::optional<located<std::int64_t>> integer(std::string_view key, std::int64_t least, std::int64_t most);
  /// An integer will do, infinity will not.
  std::optional<located<double>> number(std::string_view key, double least, double most);
  std::optional<located<bool>> truth(std::string_view key);
  /// A duration of whole milliseconds.
  std::optional<located<std::chrono::milliseconds>> duration(std::string_view key, std::chrono::milliseconds least,
                                                             std::chrono::milliseconds most);
  /// A duration as exact as it can be written.
  std::optional<located<std::chrono::microseconds>> fine_duration(std::string_view key, std::chrono::microseconds least,
                                                                  std::chrono::microseconds most);
  /// A duration of whole seconds, as DNS counts.
  std::optional<located<std::uint32_t>> seconds(std::string_view key, std::chrono::seconds least,
                                                std::chrono::seconds most);
  /// The index of the text in `words`.
  std::optional<std::size_t> one_of(std::string_view key, std::span<const std::string_view> words);
  /// The texts of an array; those that are no text are left out and noted.
  std::optional<located<std::vector<located<std::string>>>> texts(std::string_view key);
  /// The same of an array in which integers may stand too: they come as their decimal text.
  std::optional<located<std::vector<located<std::string>>>> texts_or_integers(std::string_view key);
  std::optional<table_reader> table(std::string_view key);
  /// The tables of an array of tables, [[key]]; none where the key is absent.
  std::vector<table_reader> tables(std::string_view key);

  /// Reads an integer into a field of any integer type.
  template <typename Integer>
  void integer_into(std::string_view key, Integer& field, Integer least, Integer most) {
    if (const auto found = integer(key, static_cast<std::int64_t>(least), static_cast<std::int64_t>(most)))
      field = static_cast<Integer>(found->value);
  }

  /// Reads a number into a field.
  void number_into(std::string_view key, double& field, double least, double most) {
    if (const auto found = number(key, least, most)) field = found->value;
  }

  /// The key exists, though nobody wants its value.
  void allow(std::string_view key) { take(key); }
  /// All keys that are there, in no order; they live as long as the document.
  [[nodiscard]] std::vector<std::string_view> keys() const;
  /// Is the key there, right or wrong?
  [[nodiscard]] bool has(std::string_view key) const;
  /// Where the table begins.
  [[nodiscard]] place at() const;
  /// Where the key's value begins, or the table where the key is absent.
  [[nodiscard]] place at(std::string_view key) const;
  /// Notes a problem of a key: "edge.port: " and the message.
  void complain(std::string_view key, place where, const std::string& message);
  /// Notes a problem of another file that a key names.
  void complain(problem found) { problems_->add(std::move(found)); }
  /// Notes every key that was not read, with the known one that was probably meant.
  void finish();

 private:
  const toml::node* take(std::string_view key);
  std::optional<located<std::vector<located<std::string>>>> list(std::string_view key, bool with_integers);
  [[nodiscard]] std::string full_name(std::string_view key) const;
  void expected(std::string_view key, const toml::node& found, const std::string& what);

  const toml::table* table_;
  std::string path_;
  problem_list* problems_;
  std::vector<std::string_view> known_;
};

/// A document: the owner of what the table_readers look at.
class toml_document {
 public:
  /// Nothing where the text is not TOML 1.0 in UTF-8; the problem is noted.
  static std::optional<toml_document> parse(std::string_view text, problem_list& problems);
  toml_document(toml_document&&) noexcept;
  toml_document(const toml_document&) = delete;
  toml_document& operator=(toml_document&&) = delete;
  toml_document& operator=(const toml_document&) = delete;
  ~toml_document();

  [[nodiscard]] table_reader root(problem_list& problems) const;

 private:
  explicit toml_document(std::unique_ptr<toml::table> root);

  std::unique_ptr<toml::table> root_;
};

}  // namespace nearside::config
