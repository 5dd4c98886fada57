// SPDX-License-Identifier: BSD-2-Clause
// The check `exec`: a program's exit status, in the manner of monitoring plug-ins, and an optional line `rtt=12.5`.
// A coroutine of the prober's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/attempt.hpp"
#include "agent/probe/prepared_check.hpp"

namespace nearside::probe {

/// `server` stands for {server} in the command.
boost::asio::awaitable<std::optional<trouble>> check_exec(attempt& now, const prepared_check& check,
                                                          const config::probe_target& target, std::string server);

/// The command with {address}, {port} and {server} replaced.
[[nodiscard]] std::vector<std::string> filled_in(const std::vector<std::string>& command,
                                                 const config::probe_target& target, std::string_view server);

/// The milliseconds of the first line `rtt=NUMBER`; nothing: there is none, or it is no duration.
[[nodiscard]] std::optional<score::duration> stated_rtt(std::string_view output);

}  // namespace nearside::probe
