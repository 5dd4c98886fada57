// SPDX-License-Identifier: BSD-2-Clause
// nearside names [PATTERN]: the names that the kernel knows, from the pinned maps; needs no agent.
#include <fnmatch.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "agent/dataplane/tables.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "cli/zone_text.hpp"

namespace nearside::cli {
namespace {

using dataplane::installed_name;

/// Case does not matter in names, nor whether the pattern ends in the root's dot.
bool matches(const std::string& pattern, const std::string& text) {
  const std::string without_dot = text.size() > 1 ? text.substr(0, text.size() - 1) : text;
  return ::fnmatch(pattern.c_str(), text.c_str(), FNM_CASEFOLD) == 0 ||
         ::fnmatch(pattern.c_str(), without_dot.c_str(), FNM_CASEFOLD) == 0;
}

std::vector<std::string_view> types_answered(const dataplane::object& tables, std::uint32_t set) {
  std::vector<std::string_view> types;
  const auto refs = dataplane::answers_of(tables, set);
  for (std::uint32_t type = 0; type < TYPE_CLASS_COUNT; ++type)
    if (refs[type].alternatives != 0) types.push_back(dataplane::type_class_label(type));
  return types;
}

void print_as_json(const dataplane::object& tables, const std::vector<installed_name>& rows, std::size_t installed) {
  boost::json::array all;
  for (const installed_name& row : rows) {
    boost::json::array types;
    for (const std::string_view type : types_answered(tables, row.set)) types.emplace_back(type);
    all.push_back(
        {{"name", row.owner.text()}, {"zone", zone_text(row)}, {"set", row.set}, {"types", std::move(types)}});
  }
  print_json({{"names", std::move(all)}, {"installed", installed}});
}

void print_as_table(const dataplane::object& tables, const std::vector<installed_name>& rows, std::size_t installed) {
  table all({{"NAME"}, {"ZONE"}, {"SET", true}, {"TYPES ANSWERED"}});
  for (const installed_name& row : rows) {
    std::string types;
    for (const std::string_view type : types_answered(tables, row.set)) (types += types.empty() ? "" : " ") += type;
    all.add({row.owner.text(), zone_text(row), std::to_string(row.set), types.empty() ? "-" : types});
  }
  if (!all.empty()) all.print(std::cout);
  std::cout << (rows.size() == installed ? "" : counted(rows.size(), "name") + " shown of ")
            << counted(installed, "name") << " installed\n";
}

result<void> show_names(const std::string& pattern, const common_options& common) {
  const auto tables = dataplane::object::open(common.pins);
  if (!tables) return tables.error();
  std::vector<installed_name> rows;
  std::size_t installed = 0;
  const auto read = dataplane::for_each_name(*tables, [&](installed_name&& row) {
    ++installed;
    if (pattern.empty() || matches(pattern, row.owner.text())) rows.push_back(std::move(row));
  });
  if (!read) return read.error();
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.owner < b.owner; });
  common.json ? print_as_json(*tables, rows, installed) : print_as_table(*tables, rows, installed);
  return {};
}

}  // namespace

void add_names(command_line& commands) {
  const auto pattern = std::make_shared<std::string>();
  CLI::App& app = commands.add_verb("names", "The names that the kernel answers",
                                    "nearside names\n"
                                    "nearside names '*.lb.example.com'",
                                    [pattern, &commands] { return show_names(*pattern, commands.common()); });
  app.add_option("PATTERN", *pattern, "Only names that match this shell pattern");
}

}  // namespace nearside::cli
