// SPDX-License-Identifier: BSD-2-Clause
// The keys of a [[check]] that belong to its type. Used by read_checks().
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include "agent/config/measuring.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// The types as they are written, by check_type.
inline constexpr std::array<std::string_view, 7> check_type_words{"icmp", "tcp", "tls", "http", "https", "dns", "exec"};

/// Reads the keys of the check's type; a key of another type is a problem. `folder`: where relative paths begin.
void read_keys_of_type(table_reader& table, const std::filesystem::path& folder, check& c);
/// Where the type is not known no key is called unknown for it.
void allow_keys_of_all_types(table_reader& table);

}  // namespace nearside::config
