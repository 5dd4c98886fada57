// SPDX-License-Identifier: BSD-2-Clause
// [[zone.balance]]: the names of a zone whose addresses are servers to balance. Used by read_zones().
#pragma once

#include <cstdint>

#include "agent/config/toml_reader.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::config {

/// Adds every [[zone.balance]] of the table to the zone, which has its other records already. `ttl`: of those without
/// one, in seconds. Each is a pool of its own; `pools`: how many there are so far.
void read_balanced_names(table_reader& zone_table, std::uint32_t ttl, std::uint32_t& pools, dns::zone& zone);

}  // namespace nearside::config
