// SPDX-License-Identifier: BSD-2-Clause
// nearside attach IFACE: makes what is missing below the pin directory and puts the program on the interface.
#include "agent/dataplane/attach.hpp"

#include <net/if.h>

#include <iostream>
#include <memory>

#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

struct attach_arguments {
  std::string interface;
  std::string mode = "native";
  bool allow_vlan_offload = false;
  dataplane::map_sizes sizes;
};

dataplane::attach_mode mode_of(const std::string& text) {
  if (text == "generic") return dataplane::attach_mode::generic;
  if (text == "auto") return dataplane::attach_mode::automatic;
  return dataplane::attach_mode::native;
}

/// Sizes count when the maps are made; a wish that comes too late must not pass in silence.
void warn_of_sizes(const dataplane::object& tables, const dataplane::map_sizes& wanted, const CLI::App& given) {
  using dataplane::map_id;
  const auto compare = [&](const char* option, std::uint32_t wish, std::uint32_t there) {
    if (given.count(option) == 0 || wish == there) return;
    complain("attach", std::string("warning: ") + option + " " + std::to_string(wish) +
                           " has no effect: the maps below " + tables.root().string() + " were made with " +
                           std::to_string(there) + "; to make them anew: nearside detach IFACE --purge");
  };
  compare("--names", wanted.names, tables.capacity(map_id::names_short));
  compare("--long-names", wanted.long_names, tables.capacity(map_id::names_long));
  compare("--sets", wanted.sets, tables.sets());
  compare("--small-images", wanted.small_images, tables.capacity(map_id::slots_small));
  compare("--large-images", wanted.large_images, tables.capacity(map_id::slots_large));
  compare("--mapping4", wanted.mapping4, tables.capacity(map_id::mapping4));
  compare("--mapping6", wanted.mapping6, tables.capacity(map_id::mapping6));
  compare("--sites", wanted.sites, tables.sites());
  compare("--mapped-sets", wanted.mapped_sets, tables.mapped_sets());
}

const char* change_label(dataplane::attach_outcome::change what) {
  using change = dataplane::attach_outcome::change;
  if (what == change::attached) return "attached";
  return what == change::updated ? "updated" : "unchanged";
}

void print_outcome(const dataplane::attach_outcome& outcome, bool json) {
  const dataplane::attachment& now = outcome.now;
  const std::string mode(dataplane::mode_label(now.mode));
  if (json) {
    print_json({{"interface", now.interface},
                {"outcome", change_label(outcome.what)},
                {"mode", mode},
                {"program_id", now.program_id},
                {"program_tag", now.program_tag}});
    return;
  }
  using change = dataplane::attach_outcome::change;
  const std::string which =
      " (" + mode + ", program " + std::to_string(now.program_id) + ", tag " + now.program_tag + ")";
  if (outcome.what == change::attached) std::cout << now.interface << ": attached" << which << '\n';
  if (outcome.what == change::updated) std::cout << now.interface << ": updated in place" << which << '\n';
  if (outcome.what == change::unchanged) std::cout << now.interface << ": already attached" << which << '\n';
}

result<void> attach_to(const attach_arguments& arguments, const common_options& common, const CLI::App& given) {
  // Asked before anything is made, so that a mistyped name leaves nothing behind.
  if (::if_nametoindex(arguments.interface.c_str()) == 0)
    return error{errc::not_found, arguments.interface + ": no such interface"};
  const bool made_here = !dataplane::object::open(common.pins);
  auto tables = dataplane::object::open_or_create(common.pins, arguments.sizes);
  if (!tables) return tables.error();
  warn_of_sizes(*tables, arguments.sizes, given);
  if (auto fresh = tables->refresh_program(); !fresh) return fresh.error();

  const dataplane::attach_mode wanted = mode_of(arguments.mode);
  const auto outcome = dataplane::attach(*tables, arguments.interface, {wanted, arguments.allow_vlan_offload});
  if (!outcome) {
    // What fails leaves nothing behind, so that the next try may ask for other sizes; unless an agent has moved in.
    if (made_here && tables->config().agent_pid == 0) (void)dataplane::purge(common.pins);
    return outcome.error();
  }
  print_outcome(*outcome, common.json);
  if (wanted == dataplane::attach_mode::automatic && outcome->now.mode == dataplane::attach_mode::generic)
    complain("attach", "WARNING: " + arguments.interface +
                           ": the driver has no native XDP, so the program runs in generic mode: after the stack has "
                           "allocated its buffers, several times slower, and no help against a flood");
  return {};
}

}  // namespace

void add_attach(command_line& commands) {
  const auto arguments = std::make_shared<attach_arguments>();
  const auto parser = std::make_shared<const CLI::App*>();
  CLI::App& app =
      commands.add_verb("attach", "Put the program on an interface, or update it in place",
                        "nearside attach eth0\n"
                        "nearside attach eth0 --mode auto\n"
                        "nearside attach eth0 --names 1000000 --small-images 1000000",
                        [arguments, parser, &commands] { return attach_to(*arguments, commands.common(), **parser); });
  *parser = &app;
  app.add_option("IFACE", arguments->interface, "The interface that queries come in on")->required();
  app.add_option("--mode", arguments->mode,
                 "native: in the driver; generic: in the stack, slow; auto: native where the driver can, else generic "
                 "(default native)")
      ->check(CLI::IsMember({"native", "generic", "auto"}))
      ->type_name("MODE");
  app.add_flag("--allow-vlan-offload", arguments->allow_vlan_offload,
               "Attach although the NIC takes VLAN tags off: tagged queries then look untagged");
  const auto size = [&](const char* option, std::uint32_t& value, const std::string& what) {
    app.add_option(option, value, what + " (default " + std::to_string(value) + ")")
        ->check(CLI::Range(1U, 1U << 26))
        ->type_name("N")
        ->group("Sizes, when the maps are made");
  };
  size("--names", arguments->sizes.names, "Names of up to " + std::to_string(SHORT_QNAME) + " octets");
  size("--long-names", arguments->sizes.long_names, "Longer names");
  size("--sets", arguments->sizes.sets, "Answer sets; names with the same servers share one");
  size("--small-images", arguments->sizes.small_images,
       "Prepared answers of up to " + std::to_string(SMALL_IMAGE_OCTETS) + " octets");
  size("--large-images", arguments->sizes.large_images,
       "Prepared answers of up to " + std::to_string(LARGE_IMAGE_OCTETS) + " octets");
  size("--mapping4", arguments->sizes.mapping4, "Rows of IPv4 resolvers, at a backbone node");
  size("--mapping6", arguments->sizes.mapping6, "Rows of IPv6 resolvers");
  size("--sites", arguments->sizes.sites, "Different lists of edges in the rows");
  size("--mapped-sets", arguments->sizes.mapped_sets, "Different kinds of mapped names");
}

}  // namespace nearside::cli
