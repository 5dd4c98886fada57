// SPDX-License-Identifier: BSD-2-Clause
#include "cli/output.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <iostream>

namespace nearside::cli {
namespace {

void print_cell(std::ostream& out, const std::string& text, std::size_t width, bool right, bool last) {
  const std::string fill(width - std::min(width, text.size()), ' ');
  if (right) out << fill << text;
  // The last column is left as it is: trailing blanks only make lines wrap.
  if (!right) out << text << (last ? "" : fill);
  out << (last ? "\n" : "  ");
}

}  // namespace

void table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const column& c : columns_) widths.push_back(c.heading.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());

  for (std::size_t i = 0; i < columns_.size(); ++i)
    print_cell(out, columns_[i].heading, widths[i], columns_[i].right, i + 1 == columns_.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      print_cell(out, row[i], widths[i], columns_[i].right, i + 1 == row.size());
}

void print_json(const boost::json::value& value) { std::cout << boost::json::serialize(value) << '\n'; }

void complain(std::string_view verb, std::string_view sentence) {
  std::cout.flush();
  std::cerr << "nearside: ";
  if (!verb.empty()) std::cerr << verb << ": ";
  std::cerr << sentence << '\n';
}

std::string counted(std::size_t number, std::string_view singular) {
  return std::to_string(number) + " " + std::string(singular) + (number == 1 ? "" : "s");
}

}  // namespace nearside::cli
