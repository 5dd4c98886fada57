// SPDX-License-Identifier: BSD-2-Clause
// What the kernel side needs of its surroundings, checked before anything is loaded, so that the error says what to do.
#pragma once

#include <filesystem>
#include <string_view>

#include "agent/base/result.hpp"

namespace nearside::dataplane {

/// Errors: unsupported, a kernel before 5.10, or `root` is not on a BPF file system; denied, CAP_BPF, CAP_NET_ADMIN or
/// CAP_PERFMON is missing (CAP_SYS_ADMIN stands for the first and the last).
result<void> check_environment(const std::filesystem::path& root);
/// Only the capabilities that are needed to use what is pinned.
result<void> check_capabilities();
/// Pure: is this release, as in uname(2), 5.10 or later?
[[nodiscard]] bool kernel_is_recent_enough(std::string_view release) noexcept;

}  // namespace nearside::dataplane
