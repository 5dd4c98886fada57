// SPDX-License-Identifier: BSD-2-Clause
// What a check of type http or https asks for and expects. Used by read_keys_of_type().
#pragma once

#include "agent/config/measuring.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Reads method, path, host, status, body, body_regex and body_limit. Nothing of them can end a line of the request.
void read_http(table_reader& table, check& c);

}  // namespace nearside::config
