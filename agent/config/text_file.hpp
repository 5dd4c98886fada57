// SPDX-License-Identifier: BSD-2-Clause
// Files named by the operator: looked at before they are read, so that a wrong path is a clear sentence. No state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "agent/base/result.hpp"

namespace nearside::config {

/// Errors, without the path: missing, a directory or anything else that is no regular file, larger than `limit` octets.
[[nodiscard]] result<void> check_file(const std::filesystem::path& path, std::uintmax_t limit);

/// The same for a program: it must be one that this process may run.
[[nodiscard]] result<void> check_program(const std::filesystem::path& path, std::uintmax_t limit);

/// The content, after check_file(). Errors as there, and what read(2) says.
[[nodiscard]] result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit);

}  // namespace nearside::config
