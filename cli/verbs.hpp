// SPDX-License-Identifier: BSD-2-Clause
// The verbs of `nearside`; each is in the file of its name. An add_* function adds the verb to the command line, which
// must outlive it.
#pragma once

#include "cli/command_line.hpp"

namespace nearside::cli {

void add_attach(command_line& commands);
void add_detach(command_line& commands);
void add_status(command_line& commands);
void add_counters(command_line& commands);
void add_names(command_line& commands);
void add_events(command_line& commands);
void add_explain(command_line& commands);
void add_servers(command_line& commands);
/// up, down, drain and release.
void add_administer(command_line& commands);
void add_mappings(command_line& commands);
void add_edges(command_line& commands);
void add_egress(command_line& commands);
void add_withdraw(command_line& commands);
void add_check(command_line& commands);
void add_replay(command_line& commands);
void add_probe(command_line& commands);
void add_version(command_line& commands);
/// Last, since it completes what the others have added.
void add_completion(command_line& commands);

}  // namespace nearside::cli
