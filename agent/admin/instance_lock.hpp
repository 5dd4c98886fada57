// SPDX-License-Identifier: BSD-2-Clause
// Only one agent for a control socket, and only one for a directory of pinned maps: two publishers would undo each
// other. The locks end with the process, however it ends. Owned by the daemon.
#pragma once

#include <cstdint>
#include <filesystem>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"

namespace nearside::admin {

/// Locks the file at `path`, made where it is missing, and writes our pid into it. Held until the descriptor is closed.
/// Error: busy, with the pid of who holds it.
result<unique_fd> lock_file(const std::filesystem::path& path);
/// Locks a directory, which on a BPF file system cannot hold a lock file. `holder`: the pid to name where it is busy.
result<unique_fd> lock_directory(const std::filesystem::path& path, std::uint32_t holder);

}  // namespace nearside::admin
