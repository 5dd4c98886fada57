// SPDX-License-Identifier: BSD-2-Clause
// The keys of [edge] and [backbone] about answering: interfaces, addresses, lease, way of the replies. Used by
// read_settings().
#pragma once

#include "agent/config/settings.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

void read_answering(table_reader& table, answering_settings& answering);

/// `direct_listen` of a backbone node: more addresses to listen on.
void read_direct_listen(table_reader& table, answering_settings& answering);

}  // namespace nearside::config
