// SPDX-License-Identifier: BSD-2-Clause
// The pin directory: its paths, its lock, and pinning so that nobody finds half of it. Used by `object` and `attach`.
#pragma once

#include <filesystem>
#include <string>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"

namespace nearside::dataplane::pins {

enum class sharing { shared, exclusive };

/// Locks the directory until the descriptor is closed; waits for whoever has it. Error: not_found, there is no such
/// directory.
result<unique_fd> lock(const std::filesystem::path& root, sharing how);
/// Makes the directory where it is missing, then locks it exclusively.
result<unique_fd> make_and_lock(const std::filesystem::path& root);

[[nodiscard]] inline std::filesystem::path maps(const std::filesystem::path& root) { return root / "maps"; }
[[nodiscard]] inline std::filesystem::path program(const std::filesystem::path& root) { return root / "prog"; }
[[nodiscard]] inline std::filesystem::path clock_program(const std::filesystem::path& root) {
  return root / "clock_prog";
}
[[nodiscard]] inline std::filesystem::path links(const std::filesystem::path& root) { return root / "links"; }
/// A link's pin. The BPF file system allows no dot in a name, so "eth0.5" is pinned as "eth0%2e5".
[[nodiscard]] std::filesystem::path link(const std::filesystem::path& root, const std::string& interface);
/// The interface that a link's pin is named after.
[[nodiscard]] std::string interface_of(const std::filesystem::path& link_pin);
[[nodiscard]] bool any_link(const std::filesystem::path& root);

/// Opens a pinned program, map or link.
result<unique_fd> get(const std::filesystem::path& pin);
/// Pins by an intermediate name and rename(2): the path holds the old object or the new one, never nothing.
result<void> put(int fd, const std::filesystem::path& pin);

}  // namespace nearside::dataplane::pins
