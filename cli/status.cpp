// SPDX-License-Identifier: BSD-2-Clause
// nearside status: what is attached, whether the kernel answers, and what the agent says. Works when the agent is dead:
// all but the last part comes from what is pinned.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include "agent/dataplane/attach.hpp"
#include "agent/dataplane/lease.hpp"
#include "agent/dataplane/listen.hpp"
#include "agent/dataplane/route_watch.hpp"
#include "cli/agent_verb.hpp"
#include "cli/control_client.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

using dataplane::map_id;
using std::chrono::milliseconds;

/// What the pins tell.
struct kernel_side {
  std::vector<dataplane::attachment> attachments;
  milliseconds lease{0};  // what is left; 0: it has run out
  dataplane::listen_addresses listen;
  dataplane::reply_route replies = dataplane::reply_route::lookup;
  std::uint64_t generation = 0;
  std::uint32_t agent_pid = 0;  // who renewed the lease last
  bool stale_answers = false;   // past a lease that was granted, the kernel answers on
};

result<kernel_side> read_kernel_side(const dataplane::object& tables) {
  kernel_side seen;
  auto attached = dataplane::attachments(tables.root());
  if (!attached) return attached.error();
  seen.attachments = std::move(*attached);
  const auto lease = dataplane::lease::calibrate(tables);
  if (!lease) return lease.error();
  const auto left = lease->remaining(tables);
  if (!left) return left.error();
  seen.lease = std::chrono::duration_cast<milliseconds>(*left);
  seen.listen = dataplane::get_listen(tables);
  seen.replies = dataplane::current_route(tables);
  seen.generation = tables.config().generation;
  seen.agent_pid = tables.config().agent_pid;
  seen.stale_answers = (tables.config().flags & CONFIG_STALE_ALL) != 0 && tables.config().lease_deadline != 0;
  return seen;
}

const char* route_label(dataplane::reply_route how) { return how == dataplane::reply_route::swap ? "swap" : "lookup"; }

boost::json::object attachment_json(const dataplane::attachment& a) {
  return {{"interface", a.interface},
          {"index", a.interface_index},
          {"mode", dataplane::mode_label(a.mode)},
          {"program_id", a.program_id},
          {"program_tag", a.program_tag},
          {"current", a.current},
          {"interface_gone", a.interface_index == 0}};
}

boost::json::object sizes_json(const dataplane::object& tables) {
  return {{"names", tables.capacity(map_id::names_short)},
          {"long_names", tables.capacity(map_id::names_long)},
          {"sets", tables.sets()},
          {"small_images", tables.capacity(map_id::slots_small)},
          {"large_images", tables.capacity(map_id::slots_large)},
          {"mapping4", tables.capacity(map_id::mapping4)},
          {"mapping6", tables.capacity(map_id::mapping6)},
          {"sites", tables.sites()},
          {"mapped_sets", tables.mapped_sets()}};
}

void print_as_json(const dataplane::object& tables, const kernel_side& kernel,
                   const result<boost::json::object>& agent) {
  boost::json::array attachments;
  for (const auto& a : kernel.attachments) attachments.push_back(attachment_json(a));
  boost::json::array addresses;
  for (const auto& address : kernel.listen.addresses) addresses.emplace_back(address.to_string());
  print_json({{"pins", tables.root().string()},
              {"attachments", std::move(attachments)},
              {"lease",
               {{"in_force", kernel.lease.count() > 0},
                {"remaining_ms", kernel.lease.count()},
                {"agent_pid", kernel.agent_pid},
                {"answers_past_it", kernel.stale_answers}}},
              {"listen", {{"port", kernel.listen.port}, {"addresses", std::move(addresses)}}},
              {"replies", route_label(kernel.replies)},
              {"generation", kernel.generation},
              {"map_sizes", sizes_json(tables)},
              {"agent", agent_json(agent)}});
}

void print_attachments(const std::vector<dataplane::attachment>& attachments) {
  if (attachments.empty()) {
    std::cout << "attached    to no interface: the agent answers everything (nearside attach IFACE)\n";
    return;
  }
  for (const auto& a : attachments) {
    std::cout << "attached    " << a.interface << " (" << dataplane::mode_label(a.mode) << ", program " << a.program_id
              << ", tag " << a.program_tag << ")";
    if (a.interface_index == 0)
      std::cout << " - the interface is gone: nearside detach " << a.interface;
    else if (!a.current)
      std::cout << " - an older program than the pinned one: nearside attach " << a.interface;
    std::cout << '\n';
  }
}

/// The agent's answer as lines of key and value; what is nested stays JSON.
void print_agent(const result<boost::json::object>& agent) {
  if (!agent) {
    std::cout << "agent       not reached: " << agent.error().message << '\n';
    return;
  }
  std::cout << "agent       answers on its control socket\n";
  for (const auto& [key, value] : *agent) {
    if (value.is_null()) continue;  // of another role
    const std::string name(key);
    std::cout << "  " << std::left << std::setw(20) << name << "  "
              << (value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value)) << '\n';
  }
}

void print_as_text(const kernel_side& kernel, const result<boost::json::object>& agent) {
  print_attachments(kernel.attachments);
  std::ostringstream seconds;
  seconds << std::fixed << std::setprecision(1) << static_cast<double>(kernel.lease.count()) / 1000.0;
  if (kernel.lease.count() > 0)
    std::cout << "lease       in force for another " << seconds.str() << " s, renewed by process " << kernel.agent_pid
              << '\n';
  else
    std::cout << "lease       run out: the kernel "
              << (kernel.stale_answers ? "answers with all servers (edge.stale)" : "passes every query to the agent")
              << '\n';
  std::cout << "listens on ";
  for (const auto& address : kernel.listen.addresses) std::cout << ' ' << address.to_string();
  if (kernel.listen.addresses.empty()) std::cout << " no address: the kernel answers nothing";
  std::cout << (kernel.listen.addresses.empty() ? "" : ", port " + std::to_string(kernel.listen.port)) << '\n'
            << "replies     "
            << (kernel.replies == dataplane::reply_route::swap ? "go back to the MAC address that the query came from"
                                                               : "go where the kernel's routing table says")
            << '\n'
            << "generation  " << kernel.generation << '\n';
  print_agent(agent);
}

result<void> show_status(const std::string& socket, const common_options& common) {
  const auto tables = dataplane::object::open(common.pins);
  if (!tables) return tables.error();
  const auto kernel = read_kernel_side(*tables);
  if (!kernel) return kernel.error();
  const auto agent = ask_agent(socket, {{"verb", "status"}});
  if (common.json)
    print_as_json(*tables, *kernel, agent);
  else
    print_as_text(*kernel, agent);
  return {};
}

}  // namespace

void add_status(command_line& commands) {
  const auto socket = std::make_shared<std::string>(default_socket);
  CLI::App& app = commands.add_verb("status", "What is attached, whether the kernel answers, what the agent says",
                                    "nearside status\n"
                                    "nearside status --json | jq .lease",
                                    [socket, &commands] { return show_status(*socket, commands.common()); });
  add_socket_option(app, *socket);
}

}  // namespace nearside::cli
