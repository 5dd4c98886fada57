// SPDX-License-Identifier: BSD-2-Clause
// The control verbs about servers: what is known of them, and what an operator says of them. Called by the daemon on
// its thread.
#pragma once

#include <boost/json/object.hpp>

#include "agent/base/result.hpp"
#include "agent/config/measuring.hpp"
#include "agent/score/scoreboard.hpp"

namespace nearside::admin {

/// {"servers": [...]}: one element for each address of each server, with its state, the figures of its checks, and what
/// an operator said. `request` may have "pattern": only servers whose name matches it. docs/cli.md explains the fields.
/// Error (invalid): the pattern is no text, or too long (255 octets).
[[nodiscard]] result<boost::json::object> servers_json(const score::scoreboard& board,
                                                       const config::measuring& configured,
                                                       const boost::json::object& request, score::instant now);

/// What an operator wants.
struct administer_request {
  std::string pattern;
  score::order_of_operator said;
};
/// `request` has "pattern", "state" (up, down, drain, none), and, but for none, "owner", "reason", "seconds" (null: for
/// good). Errors (invalid): a field is missing, or too long (255 octets).
[[nodiscard]] result<administer_request> parse_administer(const boost::json::object& request, score::instant now);

/// {"servers": [...], "answers_end_s": number}: who is concerned, and in how many seconds the last answer with one of
/// them has run out, as far as it is in no answer any more; null: some are still answered.
[[nodiscard]] boost::json::object administered_json(const score::scoreboard& board,
                                                    const std::vector<std::string>& servers, score::instant now);

}  // namespace nearside::admin
