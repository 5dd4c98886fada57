// SPDX-License-Identifier: BSD-2-Clause
// nearside explain NAME: who would answer, the kernel or the agent, from which table entries, and why these servers.
#include <linux/bpf.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>
#include <memory>

#include "agent/dataplane/counters.hpp"
#include "agent/dns/rr_type.hpp"
#include "cli/agent_verb.hpp"
#include "cli/control_client.hpp"
#include "cli/explanation.hpp"
#include "cli/mapping_text.hpp"
#include "cli/output.hpp"
#include "cli/pool_text.hpp"
#include "cli/verbs.hpp"
#include "cli/zone_text.hpp"

namespace nearside::cli {
namespace {

struct explain_arguments {
  std::string name;
  std::string type = "A";
  asker by;
  std::string socket = default_socket;
};

std::string hex(const name_key& key) {
  std::array<char, 34> text{};
  std::snprintf(text.data(), text.size(), "%016llx:%016llx", static_cast<unsigned long long>(key.hash[0]),
                static_cast<unsigned long long>(key.hash[1]));
  return text.data();
}

std::string percent(double share) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.3g %%", share * 100);
  return text.data();
}

const char* action_label(std::uint32_t action) {
  switch (action) {
    case XDP_TX: return "tx";
    case XDP_REDIRECT: return "redirect";
    case XDP_PASS: return "pass";
    case XDP_DROP: return "drop";
    default: return "aborted";
  }
}

const char* how_drawn(const answer_ref& ref) { return (ref.flags & ANSWER_BY_CLIENT) != 0 ? "client" : "random"; }

const char* who_answers(std::uint32_t action) {
  if (action == XDP_TX) return "kernel";
  return action == XDP_PASS ? "agent" : "nobody";
}

std::string client_text(const query& asked) {
  return asked.client ? asked.client->address.to_string() + "/" + std::to_string(asked.client->length)
                      : asked.source.to_string();
}

std::string_view verdict_sentence(std::uint32_t verdict) {
  const auto* description = dataplane::describe_counter(verdict);
  return description == nullptr ? "live traffic hid which counter grew; ask again" : description->sentence;
}

boost::json::value decoded_json(const result<message_text>& message) {
  if (!message) return {{"error", message.error().message}};
  return to_json(*message);
}

boost::json::object path_json(const table_path& path) {
  boost::json::object all{{"map", path.map}, {"key", hex(path.key)}, {"installed", path.name.has_value()}};
  if (!path.name) return all;
  boost::json::array alternatives;
  for (const alternative& a : path.alternatives)
    alternatives.push_back({{"slot", a.slot},
                            {"generation", a.generation},
                            {"settled", a.settled},
                            {"share", a.share},
                            {"ancount", a.ancount},
                            {"nscount", a.nscount},
                            {"arcount", a.arcount},
                            {"octets", a.octets},
                            {"message", decoded_json(a.message)}});
  all["zone"] = zone_text(*path.name);
  all["set"] = path.name->set;
  if (path.by_site) all["site"] = path.site ? boost::json::value(*path.site) : boost::json::value();
  if (path.by_site) all["site_answers_index"] = path.base + path.site.value_or(0);
  all["type_class"] = dataplane::type_class_label(path.type_class);
  all["answers_index"] = path.answers_index;
  all["slots"] = (path.ref.flags & ANSWER_LARGE) != 0 ? "slots_large" : "slots_small";
  all["slot"] = path.ref.slot;
  all["generation"] = path.ref.generation;
  all["drawn"] = how_drawn(path.ref);
  all["alternatives"] = std::move(alternatives);
  if (path.type_class < STALE_COLUMNS) {
    const answer_ref& stale = path.stale[path.type_class];
    all["past_lease"] = boost::json::object{{"slot", stale.slot}, {"alternatives", stale.alternatives}};
  }
  return all;
}

/// A part of the agent's explanation, "pool" or "mapping"; nullptr: the name has none, or the agent tells nothing.
const boost::json::object* part_in(const result<boost::json::object>& agent, std::string_view part) {
  const auto* found = agent ? agent->if_contains(part) : nullptr;
  return found == nullptr ? nullptr : found->if_object();
}

void print_as_json(const explanation& e, const result<boost::json::object>& agent) {
  const auto part = [&](std::string_view name) {
    const auto* found = part_in(agent, name);
    return found != nullptr ? boost::json::value(*found) : boost::json::value();
  };
  print_json({{"name", e.asked.qname.text()},
              {"type", dns::type_text(e.asked.qtype)},
              {"query",
               {{"source", e.asked.source.to_string()},
                {"destination", e.asked.destination.to_string()},
                {"port", e.asked.port},
                {"ecs", e.asked.client ? boost::json::value(client_text(e.asked)) : boost::json::value()}}},
              {"answered_by", who_answers(e.kernel.action)},
              {"kernel",
               {{"action", action_label(e.kernel.action)},
                {"verdict", dataplane::verdict_label(e.kernel.verdict)},
                {"sentence", verdict_sentence(e.kernel.verdict)},
                {"test_runs", e.kernel.runs},
                {"reply", e.reply ? decoded_json(*e.reply) : boost::json::value()}}},
              {"tables", path_json(e.path)},
              {"agent", e.kernel.action == XDP_PASS ? boost::json::value(agent_json(agent)) : boost::json::value()},
              {"pool", part("pool")},
              {"mapping", part("mapping")}});
}

void print_records(const char* section, const std::vector<record_text>& records) {
  for (const record_text& r : records) std::cout << "    " << section << "  " << to_string(r) << '\n';
}

void print_message(const result<message_text>& message) {
  if (!message) {
    std::cout << "    " << message.error().message << '\n';
    return;
  }
  print_records("answer    ", message->answer);
  print_records("authority ", message->authority);
  print_records("additional", message->additional);
}

void print_path(const table_path& path) {
  std::cout << "tables    " << path.map << " key " << hex(path.key);
  if (!path.name) {
    std::cout << ": not installed\n";
    return;
  }
  std::cout << " -> set " << path.name->set << ", zone " << zone_text(*path.name) << "\n          answers["
            << path.answers_index << "] (" << dataplane::type_class_label(path.type_class) << ")";
  if (path.by_site && !path.site) {
    std::cout << " is answered by site, and the client tables do not tell it: the agent answers\n";
    return;
  }
  if (path.by_site) {
    std::cout << " -> site_answers[" << path.base + *path.site << "] (site " << *path.site
              << (path.ecs_to_agent ? "; with a client subnet the agent answers)" : ")");
  }
  if (path.ref.alternatives == 0) {
    std::cout << " is empty: the agent answers this type\n";
    return;
  }
  std::cout << " -> " << ((path.ref.flags & ANSWER_LARGE) != 0 ? "slots_large" : "slots_small") << " from "
            << path.ref.slot << ", generation " << path.ref.generation << ", "
            << counted(path.alternatives.size(), "alternative") << " to choose from"
            << ((path.ref.flags & ANSWER_BY_CLIENT) != 0 ? " by the client's network\n" : "\n");
  for (const alternative& a : path.alternatives) {
    std::cout << "  slot " << a.slot << ": " << a.octets << " octets, counts " << a.ancount << '/' << a.nscount << '/'
              << a.arcount << ", generation " << a.generation << ", " << percent(a.share) << " of the draws"
              << (a.settled ? "" : " (not settled: it would not be sent)") << '\n';
    print_message(a.message);
  }
}

void print_kernel(const explanation& e) {
  std::cout << "kernel    " << action_label(e.kernel.action) << ", verdict "
            << dataplane::verdict_label(e.kernel.verdict) << ": " << verdict_sentence(e.kernel.verdict) << '\n'
            << "          (" << counted(e.kernel.runs, "test run") << ", counted like any packet)\n";
  if (!e.reply) return;
  if (*e.reply) {
    std::cout << "  reply " << (*e.reply)->rcode;
    for (const std::string& flag : (*e.reply)->flags) std::cout << ' ' << flag;
    if (!(*e.reply)->ecs.empty()) std::cout << ", ECS " << (*e.reply)->ecs;
    std::cout << '\n';
  }
  print_message(*e.reply);
}

std::string plain(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

void print_agent(const result<boost::json::object>& agent) {
  if (!agent) {
    std::cout << "agent     not reached: " << agent.error().message << '\n';
    return;
  }
  std::cout << "agent\n";
  for (const auto& [key, value] : *agent) {
    if (key == "pool" || key == "mapping") continue;
    const auto* lines = value.if_array();
    if (lines == nullptr)
      std::cout << "  " << std::string_view(key) << ' ' << plain(value) << '\n';
    else
      for (const auto& line : *lines) std::cout << "    " << std::string_view(key) << "  " << plain(line) << '\n';
  }
}

void print_as_text(const explanation& e, const result<boost::json::object>& agent) {
  std::cout << e.asked.qname.text() << ' ' << dns::type_text(e.asked.qtype) << ", asked of "
            << e.asked.destination.to_string() << " by " << e.asked.source.to_string()
            << (e.asked.client ? " for " + client_text(e.asked) + " (ECS)" : "") << ": " << who_answers(e.kernel.action)
            << " answers\n";
  print_kernel(e);
  print_path(e.path);
  if (e.kernel.action == XDP_PASS || !agent) print_agent(agent);
  const auto* mapping = part_in(agent, "mapping");
  if (mapping != nullptr) print_mapping(std::cout, *mapping);
  // The servers of a mapped name are chosen by its edges.
  if (const auto* pool = part_in(agent, "pool"); pool != nullptr && mapping == nullptr) print_pool(std::cout, *pool);
}

result<void> explain(const explain_arguments& arguments, const common_options& common) {
  const auto qname = dns::name::from_text(arguments.name);
  if (!qname) return error{errc::invalid, arguments.name + ": " + qname.error().message};
  const auto qtype = dns::type_from_text(arguments.type);
  if (!qtype) return error{errc::invalid, arguments.type + ": no such type; a mnemonic such as AAAA, or TYPE65534"};
  const auto tables = dataplane::object::open(common.pins);
  if (!tables) return tables.error();
  const auto asked = compose_query(*tables, *qname, *qtype, arguments.by);
  if (!asked) return asked.error();
  const auto told = explain_query(*tables, *asked);
  if (!told) return told.error();

  boost::json::object question{{"verb", "explain"}, {"name", qname->text()}, {"type", dns::type_text(*qtype)}};
  if (!arguments.by.client.empty() || !arguments.by.resolver.empty()) {
    question["resolver"] = asked->source.to_string();
    question["destination"] = asked->destination.to_string();
    if (asked->client) question["client"] = client_text(*asked);
  }
  const auto agent = ask_agent(arguments.socket, question);
  if (common.json)
    print_as_json(*told, agent);
  else
    print_as_text(*told, agent);
  return {};
}

}  // namespace

void add_explain(command_line& commands) {
  const auto arguments = std::make_shared<explain_arguments>();
  CLI::App& app = commands.add_verb(
      "explain", "Who would answer a query, from which table entries, and why with these servers",
      "nearside explain www.lb.example.com\n"
      "nearside explain www.lb.example.com --type AAAA --client 203.0.113.0/24",
      [arguments, &commands] { return explain(*arguments, commands.common()); },
      "The loaded program is really run on such a query, without a network. `nearside counters` counts these\n"
      "test runs as well: one where the kernel answers, up to 1101 where other traffic makes it hard to see which "
      "counter grew.");
  app.add_option("NAME", arguments->name, "The QNAME; the final dot may be left out")->required();
  app.add_option("--type", arguments->type, "The QTYPE: a mnemonic or TYPE1234 (default A)")->type_name("T");
  app.add_option("--resolver", arguments->by.resolver, "The address that the query comes from")->type_name("IP");
  app.add_option("--client", arguments->by.client,
                 "Carried as EDNS client subnet; without --resolver an address alone is where the query comes from")
      ->type_name("PREFIX");
  add_socket_option(app, arguments->socket);
}

}  // namespace nearside::cli
