// SPDX-License-Identifier: BSD-2-Clause
// The texts by which checks and pools are recognised: within one configuration, and again after a reload or a restart.
// Equal texts mean equal things; the order of keys in the file and the names of checks are not in them. Pure.
#pragma once

#include <string>

#include "agent/config/measuring.hpp"

namespace nearside::config {

/// All of a check that changes its results or when it runs, but not its port, which a server can replace.
[[nodiscard]] std::string key_text(const check& c);
[[nodiscard]] std::string key_text(const score::criteria& rules);
[[nodiscard]] std::string key_text(const score::member& m);

/// Whether a word of the command has `place` in it, as "{server}".
[[nodiscard]] bool is_replaced(const check& c, std::string_view place);

}  // namespace nearside::config
