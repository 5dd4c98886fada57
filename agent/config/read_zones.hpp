// SPDX-License-Identifier: BSD-2-Clause
// The [[zone]] tables: each zone complete and checked, and all of them checked against each other. Used by load().
#pragma once

#include <filesystem>

#include "agent/config/toml_reader.hpp"
#include "agent/config/zone_balance.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::config {

/// `folder`: where relative paths of master files begin. `sources`: what the balanced names refer to. What is wrong is
/// noted; the set is then not to be used.
[[nodiscard]] dns::zone_set read_zones(table_reader& root, const std::filesystem::path& folder,
                                       const balance_sources& sources, problem_list& problems);

}  // namespace nearside::config
