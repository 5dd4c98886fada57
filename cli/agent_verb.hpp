// SPDX-License-Identifier: BSD-2-Clause
// What all verbs have in common that ask the agent: where it listens, and what becomes of its answer.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "agent/base/result.hpp"
#include "cli/command_line.hpp"

namespace nearside::cli {

/// Adds --socket to the verb; `socket`, which lives as long as the verb, has the default or becomes what is given.
void add_socket_option(CLI::App& verb, std::string& socket);

/// Asks the agent and prints its answer: as JSON, or as `print` does for people. Errors: those of ask_agent(), and why
/// the agent refused.
result<void> show_answer(const std::string& socket, const boost::json::object& request, bool as_json,
                         const std::function<void(const boost::json::object&)>& print);

}  // namespace nearside::cli
