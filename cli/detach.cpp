// SPDX-License-Identifier: BSD-2-Clause
// nearside detach IFACE: takes the program off an interface; with --purge the maps go after the last one.
#include <iostream>
#include <memory>

#include "agent/dataplane/attach.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

struct detach_arguments {
  std::string interface;
  bool purge = false;
};

result<void> detach_from(const detach_arguments& arguments, const common_options& common) {
  if (auto done = dataplane::detach(common.pins, arguments.interface, arguments.purge); !done) return done.error();
  const auto left = dataplane::attachments(common.pins);
  if (!left) return left.error();
  const bool purged = arguments.purge && left->empty();
  if (common.json) {
    print_json({{"interface", arguments.interface}, {"outcome", "detached"}, {"purged", purged}, {"still_attached", left->size()}});
    return {};
  }
  std::cout << arguments.interface << ": detached\n";
  if (purged) std::cout << "the maps below " << common.pins.string() << " are removed\n";
  if (arguments.purge && !purged)
    complain("detach", "the maps stay: the program is still on " + counted(left->size(), "interface"));
  return {};
}

}  // namespace

void add_detach(command_line& commands) {
  const auto arguments = std::make_shared<detach_arguments>();
  CLI::App& app = commands.add_verb("detach", "Take the program off an interface; the agent goes on answering",
                                    "nearside detach eth0\n"
                                    "nearside detach eth0 --purge",
                                    [arguments, &commands] { return detach_from(*arguments, commands.common()); });
  app.add_option("IFACE", arguments->interface, "The interface")->required();
  app.add_flag("--purge", arguments->purge, "After the last interface, remove maps and program too");
}

}  // namespace nearside::cli
