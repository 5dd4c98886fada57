// SPDX-License-Identifier: BSD-2-Clause
// The command line's side of the agent's control socket: one JSON object as a line in, one as a line out.
// Blocks, with a deadline; one question a connection.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <optional>

#include "agent/base/result.hpp"

namespace nearside::cli {

/// Asks the agent. Where it refuses, its answer is {"error": "a sentence", "kind": "not_found"} (refusal()). Errors:
/// not_found, nobody listens there (the agent does not run, or listens elsewhere); denied; system, no answer before the
/// deadline or one that is no JSON object.
result<boost::json::object> ask_agent(const std::filesystem::path& socket, const boost::json::object& question,
                                      std::chrono::milliseconds deadline = std::chrono::seconds(5));

/// Why the agent refused, from its answer; nothing: it did not.
[[nodiscard]] std::optional<error> refusal(const boost::json::object& answer);

/// The agent's answer as part of a verb's JSON: {"reachable": true, ...the answer...} or {"reachable": false, "error":
/// "..."}.
[[nodiscard]] boost::json::object agent_json(const result<boost::json::object>& answer);

}  // namespace nearside::cli
