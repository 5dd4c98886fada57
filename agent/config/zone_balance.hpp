// SPDX-License-Identifier: BSD-2-Clause
// [[zone.balance]]: the names of a zone whose addresses are servers to balance. Used by read_zones().
#pragma once

#include <cstdint>
#include <vector>

#include "agent/config/mapped_name.hpp"
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
  node_roles roles;
  std::vector<mapped_name>& mapped;
};

/// TTLs of the names without one of their own, in seconds.
struct usual_ttls {
  std::uint32_t answer = 20;
  std::uint32_t referral = 60;
};

/// Adds every [[zone.balance]] of the table to the zone, which has its other records already, and its pool to the list.
/// Those with a mode become mapped names.
void read_balanced_names(table_reader& zone_table, const usual_ttls& ttls, const balance_sources& sources,
                         dns::zone& zone, problem_list& problems);

}  // namespace nearside::config
