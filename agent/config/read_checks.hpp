// SPDX-License-Identifier: BSD-2-Clause
// [[check]]: how servers are asked whether they work. Used by load().
#pragma once

#include <filesystem>
#include <vector>

#include "agent/config/measuring.hpp"
#include "agent/config/names.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// The checks of a file and the index of their names.
struct check_list {
  std::vector<check> all;
  name_index names;
};

/// Reads every [[check]], at most 10,000. One with a problem is in the list nevertheless, so that no reference to it is
/// called unknown. `folder`: where relative paths begin.
[[nodiscard]] check_list read_checks(table_reader& root, const std::filesystem::path& folder);

}  // namespace nearside::config
