// SPDX-License-Identifier: BSD-2-Clause
// nearside version: of this program, of the map layout that it understands, of the library that loads the program.
#include <bpf/libbpf.h>

#include <iostream>

#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

result<void> show_version(const common_options& common) {
  if (common.json) {
    print_json(
        {{"version", NEARSIDE_VERSION}, {"map_layout", LAYOUT_VERSION}, {"libbpf", libbpf_version_string() + 1}});
    return {};
  }
  std::cout << "nearside " NEARSIDE_VERSION ", map layout " << LAYOUT_VERSION << ", libbpf "
            << libbpf_version_string() + 1 << '\n';
  return {};
}

}  // namespace

void add_version(command_line& commands) {
  commands.add_verb("version", "Versions of this program and of the map layout", "nearside version",
                    [&commands] { return show_version(commands.common()); });
}

}  // namespace nearside::cli
