// SPDX-License-Identifier: BSD-2-Clause
// The configuration file, read and checked as a whole: settings and zones, or every problem in it.
// Called at start, on SIGHUP and by `nearside check`; keeps nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/config/mapped_name.hpp"
#include "agent/config/measuring.hpp"
#include "agent/config/problem.hpp"
#include "agent/config/settings.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::config {

/// A configuration without a problem. The zones are complete (zone::check) and immutable.
struct loaded {
  settings options;
  std::shared_ptr<const dns::zone_set> zones;
  measuring servers;
  std::vector<mapped_name> mapped;  // dns::node::mapped is the index
};

/// Reads the TOML file at `path` and the master files that it names (relative paths: from the folder of `path`).
/// Returns all problems found, ordered by file and place: syntax, unknown keys, values out of their bounds, records,
/// zones. Only a file that cannot be read, is not UTF-8 or is not TOML hides what else is wrong in it.
[[nodiscard]] std::variant<loaded, std::vector<problem>> load(const std::filesystem::path& path);

/// As load(), with `text` in the place of the file's content; `path` is what problems and relative paths refer to.
[[nodiscard]] std::variant<loaded, std::vector<problem>> load_text(std::string_view text,
                                                                   const std::filesystem::path& path);

}  // namespace nearside::config
