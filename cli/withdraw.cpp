// SPDX-License-Identifier: BSD-2-Clause
// nearside withdraw: an edge says good-bye to its backbone nodes, so that no resolver is sent to it any more.
#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "cli/agent_verb.hpp"
#include "cli/control_client.hpp"
#include "cli/members.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {

namespace {

namespace json = boost::json;

// The agent gives the backbone nodes two seconds.
constexpr std::chrono::milliseconds patience{4000};
constexpr std::chrono::milliseconds pause{50};

result<bool> all_told(const std::string& socket) {
  const auto told = ask_agent(socket, {{"verb", "egress"}});
  if (!told) return told.error();
  if (auto refused = refusal(*told)) return *std::move(refused);
  const auto& nodes = told->at("backbones").as_array();
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const json::value& node) { return text_in(node.as_object(), "state") == "withdrawn"; });
}

/// Ends when all of them have been told, so that the agent may be stopped after it.
result<void> withdraw(const std::string& socket, bool as_json) {
  const auto begun = ask_agent(socket, {{"verb", "withdraw"}});
  if (!begun) return begun.error();
  if (auto refused = refusal(*begun)) return *std::move(refused);
  for (const auto end = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < end;) {
    const auto done = all_told(socket);
    if (!done) return done.error();
    if (*done) {
      if (as_json)
        print_json({{"withdrawn", true}});
      else
        std::cout << "withdrawn: no backbone node refers to this edge any more\n";
      return {};
    }
    std::this_thread::sleep_for(pause);
  }
  return error{errc::failing,
               "not all backbone nodes could be told, `nearside egress` shows which: they find out by port 53 "
               "or by the lease"};
}

}  // namespace

void add_withdraw(command_line& commands) {
  const auto socket = std::make_shared<std::string>(default_socket);
  CLI::App& app = commands.add_verb(
      "withdraw", "Say good-bye to the backbone nodes, so that no resolver is sent here any more; at an edge",
      "nearside withdraw", [socket, &commands] { return withdraw(*socket, commands.common().json); },
      "A reload or a restart of the agent registers anew. Queries that still come are answered meanwhile.");
  add_socket_option(app, *socket);
}

}  // namespace nearside::cli
