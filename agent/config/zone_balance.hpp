// SPDX-License-Identifier: BSD-2-Clause
// [[zone.balance]]: the names of a zone whose addresses are servers to balance. Used by read_zones().
#pragma once

#include <cstdint>

#include "agent/config/pools.hpp"
#include "agent/config/read_checks.hpp"
#include "agent/config/read_servers.hpp"
#include "agent/config/toml_reader.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::config {

/// What the names refer to, and where their pools are collected.
struct balance_sources {
  const check_list& checks;
  const server_list& servers;
  pool_list& pools;
};

/// Adds every [[zone.balance]] of the table to the zone, which has its other records already, and its pool to the list.
/// `ttl`: of those without one, in seconds.
void read_balanced_names(table_reader& zone_table, std::uint32_t ttl, const balance_sources& sources, dns::zone& zone,
                         problem_list& problems);

}  // namespace nearside::config
