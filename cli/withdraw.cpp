// SPDX-License-Identifier: BSD-2-Clause
// nearside withdraw: an edge says good-bye to its backbone nodes, so that no resolver is sent to it any more.
#include <iostream>
#include <memory>

#include "cli/agent_verb.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {

void add_withdraw(command_line& commands) {
  const auto socket = std::make_shared<std::string>(default_socket);
  const auto print = [](const boost::json::object&) {
    std::cout << "the backbone nodes are told; `nearside egress` tells what they say\n";
  };
  CLI::App& app = commands.add_verb(
      "withdraw", "Say good-bye to the backbone nodes, so that no resolver is sent here any more; at an edge",
      "nearside withdraw",
      [socket, print, &commands] {
        return show_answer(*socket, {{"verb", "withdraw"}}, commands.common().json, print);
      },
      "A reload or a restart of the agent registers anew. Queries that still come are answered meanwhile.");
  add_socket_option(app, *socket);
}

}  // namespace nearside::cli
