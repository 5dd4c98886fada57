// SPDX-License-Identifier: BSD-2-Clause
// The sections of the configuration file that are not zones. Used by load().
#pragma once

#include "agent/config/settings.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Reads [node], [edge], [serve], [maps], [events], [log] and [control]; a value that is wrong keeps its default and is
/// noted.
[[nodiscard]] settings read_settings(table_reader& root);

}  // namespace nearside::config
