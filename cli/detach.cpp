// SPDX-License-Identifier: BSD-2-Clause
// nearside detach IFACE: takes the program off an interface; with --purge the maps go after the last one.
#include <fstream>
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

/// The agent that uses the maps; 0: none runs. Without the pins nobody would find what it goes on publishing.
std::uint32_t running_agent(const std::filesystem::path& pins) {
  const auto tables = dataplane::object::open(pins);
  if (!tables || tables->config().agent_pid == 0) return 0;
  const std::uint32_t pid = tables->config().agent_pid;
  std::string name;
  std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> name;
  return name == "nearsided" ? pid : 0;
}

// Detached before, and now the maps are to go too.
result<void> purge_only(const detach_arguments& arguments, const common_options& common) {
  if (auto open = dataplane::object::open(common.pins); !open && open.error().kind == errc::not_found)
    return open.error();
  if (auto done = dataplane::purge(common.pins); !done) return done.error();
  if (common.json) {
    print_json(
        {{"interface", arguments.interface}, {"outcome", "not attached"}, {"purged", true}, {"still_attached", 0}});
    return {};
  }
  std::cout << arguments.interface << ": was not attached\nthe maps below " << common.pins.string() << " are removed\n";
  return {};
}

result<void> detach_from(const detach_arguments& arguments, const common_options& common) {
  if (const std::uint32_t agent = arguments.purge ? running_agent(common.pins) : 0; agent != 0)
    return error{errc::busy,
                 arguments.interface + ": nothing done: nearsided (process " + std::to_string(agent) +
                     ") still uses the maps that --purge would remove; stop it first, or leave --purge out"};
  const auto before = dataplane::attachments(common.pins);
  if (arguments.purge && before && before->empty()) return purge_only(arguments, common);
  if (auto done = dataplane::detach(common.pins, arguments.interface, arguments.purge); !done) return done.error();
  const auto left = dataplane::attachments(common.pins);
  if (!left) return left.error();
  const bool purged = arguments.purge && left->empty();
  if (common.json) {
    print_json({{"interface", arguments.interface},
                {"outcome", "detached"},
                {"purged", purged},
                {"still_attached", left->size()}});
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
