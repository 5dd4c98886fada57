// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/prefix_table.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agent/config/mapping_values.hpp"
#include "agent/config/text_file.hpp"
#include "agent/config/wording.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::config {
namespace {

constexpr std::uintmax_t largest_table = 64ull << 20;
constexpr std::string_view blanks = " \t\r";

/// The words of a line, without its comment.
std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  for (;;) {
    const auto begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return words;
    const auto end = std::min(line.find_first_of(blanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

result<table_row> parse_row(const std::vector<std::string_view>& words) {
  if (words.size() < 2 || words.size() > 1 + mapping::most_edges_in_row)
    return error{errc::invalid, "expected a prefix and one to " + std::to_string(mapping::most_edges_in_row) +
                                    " names of edges, found " + std::to_string(words.size()) + " words"};
  const auto who = mapping::parse_prefix(words.front());
  if (!who) return who.error();
  table_row row{*who, {}};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto name = dns::name::from_text(words[i]);
    if (!name)
      return error{errc::invalid,
                   "expected the name of an edge, found " + in_quotes(words[i]) + ": " + name.error().message};
    row.edges.push_back(name->lower().text());
  }
  return row;
}

}  // namespace

void read_prefix_table(table_reader& table, const std::filesystem::path& folder, std::vector<table_row>& rows) {
  const auto file = table.text("prefix_table");
  if (!file) return;
  const std::filesystem::path path = folder / file->value;
  const auto text = read_file(path, largest_table);
  if (!text) {
    table.complain("prefix_table", file->at, in_quotes(path.string()) + ": " + text.error().message);
    return;
  }
  std::unordered_map<mapping::prefix, std::size_t, mapping::prefix_hash> seen;
  std::string_view rest = *text;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto words = words_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (words.empty()) continue;
    auto row = parse_row(words);
    if (!row) {
      table.complain(problem{path.string(), line, 0, row.error().message});
    } else if (const auto [there, fresh] = seen.emplace(row->who, line); !fresh) {
      table.complain(problem{path.string(), line, 0,
                             mapping::text_of(row->who) + " is in line " + std::to_string(there->second) + " already"});
    } else if (rows.size() == most_table_rows) {
      table.complain(problem{path.string(), line, 0, "expected at most " + std::to_string(most_table_rows) + " rows"});
      return;
    } else {
      rows.push_back(std::move(*row));
    }
  }
}

}  // namespace nearside::config
