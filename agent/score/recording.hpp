// SPDX-License-Identifier: BSD-2-Clause
// The lines of a recording: what the agent writes down and `nearside replay` reads. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/score/settings.hpp"

namespace nearside::score {

/// Decimal, without an exponent, as short as it can be read back exactly: "12.345".
[[nodiscard]] std::string fixed(double number);

/// {"type":"start",...}: one ISP, which is this node, and the targets by their labels. `interval`, `timeout`: of the
/// checks, in seconds, where they differ of the first one.
[[nodiscard]] std::string start_line(const std::string& isp, const std::vector<target>& targets, double interval,
                                     double timeout, std::uint32_t rechecks, std::chrono::seconds ttl);
/// {"type":"sample",...}; `t`: seconds since the start.
[[nodiscard]] std::string sample_line(double t, const std::string& isp, const std::string& label, const sample& s);
[[nodiscard]] std::string end_line();

}  // namespace nearside::score
