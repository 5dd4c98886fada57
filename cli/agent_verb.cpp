// SPDX-License-Identifier: BSD-2-Clause
#include "cli/agent_verb.hpp"

#include "cli/control_client.hpp"
#include "cli/output.hpp"

namespace nearside::cli {

void add_socket_option(CLI::App& verb, std::string& socket) {
  verb.add_option("--socket", socket, std::string("The agent's control socket (default ") + default_socket + ")")
      ->type_name("PATH");
}

result<void> show_answer(const std::string& socket, const boost::json::object& request, bool as_json,
                         const std::function<void(const boost::json::object&)>& print) {
  const auto told = ask_agent(socket, request);
  if (!told) return told.error();
  if (auto refused = refusal(*told)) return *std::move(refused);
  if (as_json)
    print_json(*told);
  else
    print(*told);
  return {};
}

}  // namespace nearside::cli
