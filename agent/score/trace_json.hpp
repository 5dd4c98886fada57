// SPDX-License-Identifier: BSD-2-Clause
// A trace and a choice as JSON, for `nearside explain` and `nearside replay --why`. Pure.
#pragma once

#include <boost/json/object.hpp>

#include "agent/dns/choice.hpp"
#include "agent/score/settings.hpp"
#include "agent/score/trace.hpp"

namespace nearside::score {

/// One family: outcome, ttl, ttl_reason, candidates (in the order of the pool: server, rule, reason, share, figures,
/// their state and what an operator said). Times in ms, null where there is none.
[[nodiscard]] boost::json::object to_json(const family_trace& told, const dns::choice& made);

/// {"policy", "families": {"ipv4": ..., "ipv6": ...}}, a family without addresses left out.
[[nodiscard]] boost::json::object to_json(const pool& of, const trace& told, const dns::pool_choice& made);

}  // namespace nearside::score
