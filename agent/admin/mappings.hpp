// SPDX-License-Identifier: BSD-2-Clause
// The control verbs about the mapping at a backbone node: its rows and its edges. Called by the daemon on its thread.
#pragma once

#include <boost/json/object.hpp>

#include "agent/base/result.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside::admin {

/// {"rows": [...], "total": number}: each row with its site and its claims, in the order in which they count. `request`
/// may have "prefix" (only rows inside it, and the row that all of it falls in) and "limit" (1000 where it is absent).
/// `total`: all rows that fit. Error (invalid): a member makes no sense.
[[nodiscard]] result<boost::json::object> mappings_json(const mapping::registry& book,
                                                        const boost::json::object& request, mapping::instant now);

/// {"edges": [...]}: every edge with its state, its addresses and what their port 53 said. `request` may have
/// "pattern".
[[nodiscard]] result<boost::json::object> edges_json(const mapping::registry& book, const boost::json::object& request,
                                                     mapping::instant now);

}  // namespace nearside::admin
