// SPDX-License-Identifier: BSD-2-Clause
// nearside edges [PATTERN]: the edges that have registered at a backbone node: whether they are used, and why not.
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

struct edges_arguments {
  std::string pattern;
  std::string socket = default_socket;
};

void print_as_table(const json::array& edges) {
  table all({{"EDGE"},
             {"STATE"},
             {"ADDRESS"},
             {"PORT 53"},
             {"ROWS", true},
             {"LEASE s", true},
             {"REPORT s", true},
             {"ACCEPTED BY"},
             {"NOTE"}});
  for (const json::value& one : edges) {
    const auto& edge = one.as_object();
    std::string name = text_in(edge, "edge"), state = text_in(edge, "state"), rows = number_in(edge, "rows", "%.0f"),
                lease = number_in(edge, "lease_s", "%.0f"), report = number_in(edge, "report_age_s", "%.0f"),
                by = text_in(edge, "accepted_by");
    const auto add = [&](const std::string& address, const std::string& port, const std::string& note) {
      all.add({name, state, address, port, rows, lease, report, by, note});
      for (std::string* said : {&name, &state, &rows, &lease, &report, &by}) said->clear();
    };
    const auto& addresses = edge.at("addresses").as_array();
    if (addresses.empty()) add("-", "-", "");
    for (const json::value& value : addresses) {
      const auto& address = value.as_object();
      const bool checked = address.contains("checked_s") && !address.at("checked_s").is_null();
      add(text_in(address, "address"),
          is_true(address, "answers") ? "answers"
          : checked                   ? "fails"
                                      : "not asked yet",
          text_in(address, "reason", ""));
    }
  }
  if (all.empty())
    std::cout << "no edges\n";
  else
    all.print(std::cout);
}

result<void> show_edges(const edges_arguments& given, bool as_json) {
  json::object request{{"verb", "edges"}};
  if (!given.pattern.empty()) request["pattern"] = given.pattern;
  return show_answer(given.socket, request, as_json,
                     [](const json::object& told) { print_as_table(told.at("edges").as_array()); });
}

}  // namespace

void add_edges(command_line& commands) {
  const auto arguments = std::make_shared<edges_arguments>();
  CLI::App& app =
      commands.add_verb("edges", "The edges that have registered, and whether they are used; at a backbone node",
                        "nearside edges\n"
                        "nearside edges 'e1*' --json",
                        [arguments, &commands] { return show_edges(*arguments, commands.common().json); });
  app.add_option("PATTERN", arguments->pattern, "Only edges whose name matches this shell pattern");
  add_socket_option(app, arguments->socket);
}

}  // namespace nearside::cli
