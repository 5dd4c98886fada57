// SPDX-License-Identifier: BSD-2-Clause
// nearside counters: every packet that the program saw, by the reason why it left the way it did.
#include "agent/dataplane/counters.hpp"

#include <boost/json/array.hpp>
#include <iostream>
#include <memory>

#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

using dataplane::counter_description;
using dataplane::counter_descriptions;
using dataplane::counter_values;

boost::json::object equation(const counter_values& values) {
  return {{"received", values.received()},
          {"answered", values.answered()},
          {"referred", values.referred()},
          {"passed", values.passed()},
          {"dropped", values.dropped()}};
}

void print_as_json(const counter_values& values, bool nonzero) {
  boost::json::array all;
  for (const counter_description& d : counter_descriptions()) {
    if (nonzero && values.packets[d.number] == 0) continue;
    all.push_back({{"number", d.number},
                   {"name", d.label},
                   {"group", dataplane::group_label(d.group)},
                   {"packets", values.packets[d.number]},
                   {"sentence", d.sentence}});
  }
  print_json({{"equation", equation(values)}, {"counters", std::move(all)}});
}

void print_as_table(const counter_values& values, bool nonzero) {
  table all({{"COUNTER"}, {"PACKETS", true}, {"WHAT IT COUNTS"}});
  for (const counter_description& d : counter_descriptions()) {
    if (nonzero && values.packets[d.number] == 0) continue;
    all.add({std::string(d.label), std::to_string(values.packets[d.number]), std::string(d.sentence)});
  }
  if (!all.empty()) {
    all.print(std::cout);
    std::cout << '\n';
  }
  std::cout << "received " << values.received() << " = answered " << values.answered() << " + referred "
            << values.referred() << " + passed " << values.passed() << " + dropped " << values.dropped() << '\n';
}

result<void> show_counters(bool nonzero, const common_options& common) {
  const auto tables = dataplane::object::open(common.pins);
  if (!tables) return tables.error();
  const auto values = dataplane::read_counters(*tables);
  if (!values) return values.error();
  common.json ? print_as_json(*values, nonzero) : print_as_table(*values, nonzero);
  return {};
}

}  // namespace

void add_counters(command_line& commands) {
  const auto nonzero = std::make_shared<bool>(false);
  CLI::App& app = commands.add_verb("counters", "Every packet counted by its verdict, since the maps were made",
                                    "nearside counters --nonzero\n"
                                    "nearside counters --json | jq .equation",
                                    [nonzero, &commands] { return show_counters(*nonzero, commands.common()); });
  app.add_flag("--nonzero", *nonzero, "Leave out what never happened");
}

}  // namespace nearside::cli
