// SPDX-License-Identifier: BSD-2-Clause
// The sections of the configuration file that are about the node itself. Used by load().
#pragma once

#include <filesystem>

#include "agent/config/settings.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Reads [node], [edge], [serve], [maps], [events], [log], [control], [state] and [record]; a value that is wrong keeps
/// its default and is noted. `folder`: where relative paths begin.
[[nodiscard]] settings read_settings(table_reader& root, const std::filesystem::path& folder);

}  // namespace nearside::config
