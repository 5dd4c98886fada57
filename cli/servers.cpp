// SPDX-License-Identifier: BSD-2-Clause
// nearside servers [PATTERN]: every server as the agent sees it from here: state, figures, what an operator said.
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

struct servers_arguments {
  std::string pattern;
  std::string socket = default_socket;
};

/// "drain by ops: disk, 3540 s left".
std::string order_text(const json::value* order) {
  if (order == nullptr || !order->is_object()) return "";
  const auto& said = order->get_object();
  std::string shown = text_in(said, "state") + " by " + text_in(said, "owner") + ": " + text_in(said, "reason");
  if (const auto left = number_in(said, "ends_in_s", "%.0f"); left != "-") shown += ", " + left + " s left";
  return shown;
}

std::string note_of(const json::object& server, const json::object& check) {
  std::string note = order_text(server.if_contains("administrative"));
  const auto add = [&](const std::string& more) { note += (note.empty() ? "" : "; ") + more; };
  if (const auto reason = text_in(check, "reason"); reason != "-" && !reason.empty()) add(reason);
  if (is_true(check, "remembered")) add("as before the restart");
  if (const auto days = number_in(check, "certificate_days", "%.0f"); days != "-") add("certificate " + days + " days");
  if (const auto left = number_in(server, "answers_end_s", "%.0f"); left != "-" && !server.at("answered").as_bool())
    add("last answers run out in " + left + " s");
  return note;
}

void print_as_table(const json::array& servers) {
  table all({{"SERVER"},
             {"FAMILY"},
             {"STATE"},
             {"ANSWERED"},
             {"CHECK"},
             {"SRTT ms", true},
             {"RTTVAR ms", true},
             {"MIN ms", true},
             {"FIRST BYTE ms", true},
             {"LOSS %", true},
             {"AGE s", true},
             {"NOTE"}});
  for (const json::value& one : servers) {
    const auto& server = one.as_object();
    const auto row = [&](const json::object& check, const std::string& state) {
      const auto loss = check.contains("loss")
                            ? number_in({{"part", check.at("loss").to_number<double>() * 100}}, "part", "%.1f")
                            : "-";
      all.add({text_in(server, "server"), text_in(server, "family"), state,
               server.at("answered").as_bool() ? "yes" : "no", text_in(check, "check"),
               number_in(check, "srtt_ms", "%.1f"), number_in(check, "rttvar_ms", "%.1f"),
               number_in(check, "min_ms", "%.1f"), number_in(check, "first_byte_ms", "%.1f"), loss,
               number_in(check, "age_s", "%.1f"), note_of(server, check)});
    };
    const auto& checks = server.at("checks").as_array();
    if (checks.empty()) row({}, text_in(server, "state"));
    for (const json::value& check : checks) row(check.as_object(), text_in(check.as_object(), "state"));
  }
  if (all.empty())
    std::cout << "no servers\n";
  else
    all.print(std::cout);
}

result<void> show_servers(const servers_arguments& given, bool as_json) {
  json::object request{{"verb", "servers"}};
  if (!given.pattern.empty()) request["pattern"] = given.pattern;
  return show_answer(given.socket, request, as_json,
                     [](const json::object& told) { print_as_table(told.at("servers").as_array()); });
}

}  // namespace

void add_servers(command_line& commands) {
  const auto arguments = std::make_shared<servers_arguments>();
  CLI::App& app =
      commands.add_verb("servers", "Every server as it is seen from here: state, figures, operators' orders",
                        "nearside servers\n"
                        "nearside servers 'fra*' --json",
                        [arguments, &commands] { return show_servers(*arguments, commands.common().json); });
  app.add_option("PATTERN", arguments->pattern, "Only servers whose name matches this shell pattern");
  add_socket_option(app, arguments->socket);
}

}  // namespace nearside::cli
