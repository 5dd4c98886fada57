// SPDX-License-Identifier: BSD-2-Clause
// What a verb prints: tables and JSON on stdout, sentences on stderr.
#pragma once

#include <boost/json/value.hpp>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace nearside::cli {

/// Rows of cells under headings, each column as wide as its widest cell.
class table {
 public:
  struct column {
    std::string heading;
    bool right = false;  // numbers stand to the right
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// One cell a column.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  void print(std::ostream& out) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// The value as one line on stdout. Keys keep the order in which they were put in.
void print_json(const boost::json::value& value);

/// `nearside: VERB: SENTENCE` on stderr; without a verb, `nearside: SENTENCE`.
void complain(std::string_view verb, std::string_view sentence);

/// "1 name", "2 names".
[[nodiscard]] std::string counted(std::size_t number, std::string_view singular);

}  // namespace nearside::cli
