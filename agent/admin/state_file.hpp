// SPDX-License-Identifier: BSD-2-Clause
// What the agent keeps over a restart, in one JSON file: operators' orders, and what was measured and decided, so that
// the first answers after a restart are those from before it. Used by the daemon on its thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"
#include "agent/score/scoreboard.hpp"

namespace nearside::admin {

/// The agent's clock and the calendar's at one moment, to convert instants, which mean nothing in another process.
struct moment {
  score::instant steady;
  std::chrono::system_clock::time_point calendar;

  [[nodiscard]] static moment now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }
};

/// The file's content. Times are seconds of the epoch.
[[nodiscard]] std::string print_state(const score::memory& known, const moment& at);
/// Error (invalid): it is not such a file. A time in the future, as after a clock that was set back, counts as now.
[[nodiscard]] result<score::memory> parse_state(std::string_view text, const moment& at);

/// Writes beside the file and renames, so that a crash leaves the old or the new one; `durable`: so does a power cut,
/// for some milliseconds of waiting. Errors: the directory cannot be made or written.
result<void> save_state(const std::filesystem::path& file, const score::memory& known, const moment& at, bool durable);
/// An absent file is an empty memory. Errors: it cannot be read, is larger than 256 MiB, or makes no sense.
[[nodiscard]] result<score::memory> load_state(const std::filesystem::path& file, const moment& at);

}  // namespace nearside::admin
