// SPDX-License-Identifier: BSD-2-Clause
// nearside probe CHECK ADDRESS: runs a configured check once, or some times, from here, without the agent.
#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <thread>

#include "agent/config/addresses.hpp"
#include "agent/config/load.hpp"
#include "agent/probe/run_check.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

struct probe_arguments {
  std::string config;
  std::string check;
  std::string address;
  std::uint16_t port = 0;
  unsigned count = 1;
};

/// What is run, on what, and the server's name.
struct assignment {
  config::check check;
  config::probe_target target;
  std::string server;
};

result<config::measuring> servers_of(const std::string& file) {
  auto outcome = config::load(file);
  if (const auto* problems = std::get_if<std::vector<config::problem>>(&outcome)) {
    for (const config::problem& p : *problems) std::cerr << config::to_string(p) << '\n';
    return error{errc::invalid, file + ": " + counted(problems->size(), "problem")};
  }
  return std::move(std::get<config::loaded>(outcome).servers);
}

/// The check by its name. Where the configuration has it on this address, port and server are those of there.
result<assignment> find(const config::measuring& plan, const probe_arguments& arguments) {
  const auto named = [&](const config::check& c) { return c.name == arguments.check; };
  const auto check = std::ranges::find_if(plan.checks, named);
  if (check == plan.checks.end())
    return error{errc::not_found, arguments.check + ": no check of that name in " + arguments.config};
  const auto address = config::parse_host_address(arguments.address);
  if (!address) return error{errc::invalid, arguments.address + ": " + address.error().message};

  assignment found{*check, {0, *address, check->port}, arguments.address};
  for (std::size_t i = 0; i < plan.probes.size(); ++i) {
    const auto& probe = plan.probes[i];
    if (!named(plan.checks[probe.check]) || probe.address != *address) continue;
    found.target.port = probe.port;
    found.server = plan.targets[i].server;
    break;
  }
  if (arguments.port != 0) found.target.port = arguments.port;
  return found;
}

/// Runs until the check has ended.
result<score::sample> run_once(boost::asio::io_context& loop, const probe::prepared_check& check,
                               const assignment& given, probe::echo_sockets& echoes) {
  result<score::sample> found = error{errc::system, "the check did not end"};
  auto on_end = [&](const std::exception_ptr& thrown, result<score::sample> sample) {
    if (thrown) std::rethrow_exception(thrown);
    found = std::move(sample);
    loop.stop();
  };
  boost::asio::co_spawn(loop, probe::run_check(loop.get_executor(), check, given.target, given.server, echoes),
                        std::move(on_end));
  loop.restart();
  loop.run();
  return found;
}

const char* outcome_text(const result<score::sample>& found) {
  if (!found) return "not run";
  switch (found->what) {
    case score::outcome::ok: return "ok";
    case score::outcome::lost: return "lost";
    case score::outcome::failed: return "failed";
  }
  return "failed";
}

std::string reason_of(const result<score::sample>& found) { return found ? found->reason : found.error().message; }

boost::json::value ms_json(const std::optional<score::duration>& time) {
  return time ? boost::json::value(score::milliseconds_of(*time)) : boost::json::value();
}

boost::json::object sample_json(const result<score::sample>& found) {
  boost::json::object all{{"outcome", outcome_text(found)}, {"reason", reason_of(found)}};
  all["connect_ms"] = found ? ms_json(found->connect) : nullptr;
  all["first_byte_ms"] = found ? ms_json(found->first_byte) : nullptr;
  all["certificate_days"] =
      found && found->certificate_days ? boost::json::value(*found->certificate_days) : boost::json::value();
  return all;
}

std::string ms_text(score::duration time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f ms", score::milliseconds_of(time));
  return text.data();
}

void print_line(const result<score::sample>& found) {
  std::cout << outcome_text(found);
  if (const std::string reason = reason_of(found); !reason.empty()) std::cout << "  " << reason;
  if (found && found->connect) std::cout << "  connect " << ms_text(*found->connect);
  if (found && found->first_byte) std::cout << "  first byte " << ms_text(*found->first_byte);
  if (found && found->certificate_days) {
    const int days = *found->certificate_days;
    if (days < 0)
      std::cout << "  certificate expired";
    else
      std::cout << "  certificate for " << counted(static_cast<std::size_t>(days), "day");
  }
  std::cout << std::endl;  // each as it comes
}

result<void> probe_server(const probe_arguments& arguments, bool json) {
  const auto plan = servers_of(arguments.config);
  if (!plan) return plan.error();
  const auto given = find(*plan, arguments);
  if (!given) return given.error();
  const auto prepared = probe::prepared_check::make(given->check);
  if (!prepared) return prepared.error();

  boost::asio::io_context loop(1);
  probe::echo_sockets echoes(loop.get_executor());
  boost::json::array samples;
  std::optional<error> last;
  std::size_t bad = 0;
  for (unsigned i = 0; i < arguments.count; ++i) {
    if (i > 0) std::this_thread::sleep_for(given->check.recheck);
    const auto found = run_once(loop, *prepared, *given, echoes);
    if (json)
      samples.emplace_back(sample_json(found));
    else
      print_line(found);
    if (found && found->what == score::outcome::ok) continue;
    ++bad;
    last = error{found ? errc::failing : found.error().kind, reason_of(found)};
  }
  echoes.close();
  if (json) {
    print_json({{"check", given->check.name},
                {"server", given->server},
                {"address", given->target.address.to_string()},
                {"port", given->target.port},
                {"samples", std::move(samples)}});
  }
  if (!last) return {};
  const std::string about = given->check.name + " " + arguments.address + ": ";
  if (arguments.count == 1) return error{last->kind, about + last->message};
  return error{last->kind, about + std::to_string(bad) + " of " + std::to_string(arguments.count) +
                               " not ok, the last one: " + last->message};
}

}  // namespace

void add_probe(command_line& commands) {
  const auto arguments = std::make_shared<probe_arguments>();
  CLI::App& app = commands.add_verb(
      "probe", "Run a configured check on an address, once, from here",
      "nearside probe --config /etc/nearside/nearsided.toml web 198.51.100.80\n"
      "nearside probe --config /etc/nearside/nearsided.toml web 2001:db8::80 --port 8080 --count 10",
      [arguments, &commands] { return probe_server(*arguments, commands.common().json); },
      "It needs no agent and changes nothing; an icmp check needs CAP_NET_RAW. The exit status is 0 when all runs\n"
      "succeeded, 8 when the server was lost or failed; 4 and others when the check could not be run here.");
  app.add_option("--config", arguments->config, "The agent's configuration, which has the check")
      ->type_name("FILE")
      ->required();
  app.add_option("CHECK", arguments->check, "The name of a [[check]]")->required();
  app.add_option("ADDRESS", arguments->address, "The address to check, in the configuration or not")->required();
  app.add_option("--port", arguments->port, "The port (default: as configured for this address, else for the check)")
      ->type_name("N")
      ->check(CLI::Range(1, 65535));
  app.add_option("--count", arguments->count, "How many times, with a pause of `recheck` between (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000));
}

}  // namespace nearside::cli
