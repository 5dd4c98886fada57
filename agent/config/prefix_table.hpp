// SPDX-License-Identifier: BSD-2-Clause
// The operator's prefix table: a file of lines `PREFIX EDGE [EDGE...]`, the nearest edge first; `#` begins a comment.
// Used by read_backbone().
#pragma once

#include <filesystem>
#include <vector>

#include "agent/config/mapping_settings.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Lines of the file, at most. A file of that size has 64 MiB or less.
inline constexpr std::size_t most_table_rows = 1'000'000;

/// The file that the key `prefix_table` names; what is wrong in it is noted with its line.
void read_prefix_table(table_reader& table, const std::filesystem::path& folder, std::vector<table_row>& rows);

}  // namespace nearside::config
