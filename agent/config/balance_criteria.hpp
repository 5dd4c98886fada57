// SPDX-License-Identifier: BSD-2-Clause
// The policy of a [[zone.balance]] and its criteria; docs/policies.md says what they do. Used by
// read_balanced_names().
#pragma once

#include <chrono>
#include <vector>

#include "agent/config/balance_servers.hpp"
#include "agent/config/measuring.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Reads policy, addresses, minimum_healthy, max_rtt, max_loss, max_cost, sites, within, all_down, unknown, ttl and
/// ttl_min. `zone_ttl`: where the name has none of its own.
[[nodiscard]] score::criteria read_criteria(table_reader& table, std::chrono::seconds zone_ttl);

/// Notes where criteria and servers, each good in itself, make no sense together: more healthy servers wanted than
/// there are, response times compared of a server that is not measured, no weight, no server at any preferred site, a
/// command that wants the port of a server without one.
void check_together(table_reader& table, const score::criteria& rules, const server_choice& chosen,
                    const std::vector<check>& checks);

}  // namespace nearside::config
