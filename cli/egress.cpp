// SPDX-License-Identifier: BSD-2-Clause
// nearside egress: what an edge has found out about the resolvers beside it, and which backbone nodes believe it.
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

void print_resolvers(const json::array& resolvers) {
  table all({{"RESOLVER"}, {"FROM"}, {"RTT ms", true}});
  for (const json::value& one : resolvers) {
    const auto& resolver = one.as_object();
    all.add({text_in(resolver, "address"), text_in(resolver, "source"), number_in(resolver, "rtt_ms", "%.1f")});
  }
  if (all.empty())
    std::cout << "no resolvers found\n";
  else
    all.print(std::cout);
}

void print_egresses(const json::array& egresses) {
  table all({{"EGRESS"}, {"ROW"}, {"SEEN s", true}, {"RTT ms", true}, {"THROUGH"}, {"BACKBONE"}, {"STATE"}, {"WHY"}});
  for (const json::value& one : egresses) {
    const auto& egress = one.as_object();
    std::string address = text_in(egress, "address"), row = text_in(egress, "prefix"),
                seen = number_in(egress, "age_s", "%.0f"), rtt = number_in(egress, "rtt_ms", "%.1f"),
                through = joined_in(egress, "resolvers", " ");
    for (const json::value& value : egress.at("backbones").as_array()) {
      const auto& backbone = value.as_object();
      all.add({address, row, seen, rtt, through, text_in(backbone, "name"), text_in(backbone, "state"),
               text_in(backbone, "reason", "")});
      for (std::string* said : {&address, &row, &seen, &rtt, &through}) said->clear();
    }
  }
  if (all.empty())
    std::cout << "no egresses found yet\n";
  else
    all.print(std::cout);
}

void print_backbones(const json::array& backbones) {
  table all({{"BACKBONE"}, {"SERVER"}, {"STATE"}, {"LEASE s", true}, {"REPORTED s", true}, {"REFERS TO"}, {"ERROR"}});
  for (const json::value& one : backbones) {
    const auto& backbone = one.as_object();
    all.add({text_in(backbone, "name"), text_in(backbone, "server"), text_in(backbone, "state"),
             number_in(backbone, "lease_s", "%.0f"), number_in(backbone, "reported_s", "%.0f"),
             joined_in(backbone, "servers", " "), text_in(backbone, "error", "")});
  }
  all.print(std::cout);
}

void print_as_tables(const json::object& told) {
  print_resolvers(told.at("resolvers").as_array());
  std::cout << '\n';
  print_egresses(told.at("egresses").as_array());
  std::cout << '\n';
  print_backbones(told.at("backbones").as_array());
  for (const json::value& note : told.at("notes").as_array())
    std::cout << "note: " << std::string_view(note.as_string()) << '\n';
}

}  // namespace

void add_egress(command_line& commands) {
  const auto socket = std::make_shared<std::string>(default_socket);
  CLI::App& app = commands.add_verb(
      "egress", "What this edge has found out about its resolvers, and which backbone nodes believe it",
      "nearside egress\n"
      "nearside egress --json",
      [socket, &commands] {
        return show_answer(*socket, {{"verb", "egress"}}, commands.common().json, print_as_tables);
      });
  add_socket_option(app, *socket);
}

}  // namespace nearside::cli
