// SPDX-License-Identifier: BSD-2-Clause
// What a check of type dns asks for and expects. Used by read_keys_of_type().
#pragma once

#include "agent/config/measuring.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// Reads qname, qtype, rcode and rdata.
void read_dns(table_reader& table, check& c);

}  // namespace nearside::config
