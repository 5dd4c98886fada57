// SPDX-License-Identifier: BSD-2-Clause
// [backbone] and [registration]: the mapping of resolvers to edges, at either end. Used by read_settings().
#pragma once

#include <filesystem>

#include "agent/config/mapping_settings.hpp"
#include "agent/config/settings.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// `folder`: where relative paths begin. `answering`: the same section's addresses, for what is not given.
[[nodiscard]] backbone_settings read_backbone(table_reader& table, const std::filesystem::path& folder,
                                              const answering_settings& answering);
[[nodiscard]] registration_settings read_registration(table_reader& table, const std::filesystem::path& folder,
                                                      const answering_settings& answering);

}  // namespace nearside::config
