// SPDX-License-Identifier: BSD-2-Clause
// What this edge tells its backbone nodes: how it sees each server, and what each name answers here. Pure; made by the
// balancer on its thread.
#pragma once

#include <string>
#include <vector>

#include "agent/dns/zone.hpp"
#include "agent/mapping/report.hpp"
#include "agent/score/scoreboard.hpp"

namespace nearside::registration {

/// The names that each pool answers for, by the pool's number, in lower case; at most mapping::most_report_names in
/// all, the first of each pool before any second.
[[nodiscard]] std::vector<std::vector<std::string>> names_of_pools(const dns::zone_set& zones, std::size_t pools);

/// Pools whose names are not in `names` are left out; so is an RRset that answers SERVFAIL or with fallbacks only, as
/// a backbone node has nothing better to say about it than its own default.
[[nodiscard]] mapping::report own_report(const score::scoreboard& board,
                                         const std::vector<std::vector<std::string>>& names, score::instant now);

}  // namespace nearside::registration
