// SPDX-License-Identifier: BSD-2-Clause
// [probe] and [latency]: the bounds of all probes together, and the numbers of the policy `latency`. Used by load().
#pragma once

#include "agent/config/measuring.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Reads both sections where they are there, and notes what does not fit.
void read_probing(table_reader& root, probe_settings& probe, score::latency_settings& latency);

}  // namespace nearside::config
