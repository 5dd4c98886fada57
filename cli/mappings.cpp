// SPDX-License-Identifier: BSD-2-Clause
// nearside mappings [PREFIX]: the mapping table of a backbone node: which edges stand beside which resolvers, and why.
#include <boost/json/array.hpp>
#include <iostream>
#include <memory>

#include "cli/agent_verb.hpp"
#include "cli/members.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

namespace json = boost::json;

struct mappings_arguments {
  std::string prefix;
  std::uint32_t limit = 1000;
  std::string socket = default_socket;
};

void print_as_table(const json::object& told) {
  table all({{"RESOLVERS"},
             {"SITE", true},
             {"EDGE"},
             {"RTT ms", true},
             {"SOURCE"},
             {"SEEN s", true},
             {"LEASE s", true},
             {"STATE"},
             {"WHY"}});
  for (const json::value& one : told.at("rows").as_array()) {
    const auto& row = one.as_object();
    std::string prefix = text_in(row, "prefix");
    std::string site = number_in(row, "site", "%.0f");
    for (const json::value& claimed : row.at("claims").as_array()) {
      const auto& claim = claimed.as_object();
      all.add({prefix, site, text_in(claim, "edge"), number_in(claim, "rtt_ms", "%.1f"), text_in(claim, "source"),
               number_in(claim, "seen_s", "%.0f"), number_in(claim, "lease_s", "%.0f"), text_in(claim, "state"),
               text_in(claim, "why", "")});
      // Edges of the same row stand below one another.
      prefix.clear();
      site.clear();
    }
  }
  if (all.empty())
    std::cout << "no rows\n";
  else
    all.print(std::cout);
  const auto shown = told.at("rows").as_array().size();
  if (const auto total = told.at("total").to_number<std::uint64_t>(); total > shown)
    std::cout << shown << " of " << counted(total, "row") << "; --limit shows more\n";
}

result<void> show_mappings(const mappings_arguments& given, bool as_json) {
  json::object request{{"verb", "mappings"}, {"limit", given.limit}};
  if (!given.prefix.empty()) request["prefix"] = given.prefix;
  return show_answer(given.socket, request, as_json, print_as_table);
}

}  // namespace

void add_mappings(command_line& commands) {
  const auto arguments = std::make_shared<mappings_arguments>();
  CLI::App& app =
      commands.add_verb("mappings", "Which edges stand beside which resolvers, and why; at a backbone node",
                        "nearside mappings\n"
                        "nearside mappings 198.51.100.0/24 --json",
                        [arguments, &commands] { return show_mappings(*arguments, commands.common().json); });
  app.add_option("PREFIX", arguments->prefix, "Only rows inside this prefix, or the row that an address falls in");
  app.add_option("--limit", arguments->limit, "No more rows than this (default 1000)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  add_socket_option(app, arguments->socket);
}

}  // namespace nearside::cli
