// SPDX-License-Identifier: BSD-2-Clause
// nearside check CONFIG: all problems of a configuration file at once, or what it holds. Needs no rights.
#include <boost/json/array.hpp>
#include <iostream>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "agent/config/load.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

result<void> report(const std::string& file, const std::vector<config::problem>& problems, bool json) {
  boost::json::array all;
  for (const config::problem& p : problems) {
    all.push_back({{"file", p.file}, {"line", p.line}, {"column", p.column}, {"message", p.message}});
    std::cerr << config::to_string(p) << '\n';
  }
  if (json) print_json({{"file", file}, {"valid", false}, {"problems", std::move(all)}});
  return error{errc::invalid, file + ": " + counted(problems.size(), "problem")};
}

/// Different servers that balanced names use; a server is known by its name.
std::size_t servers_of(const config::measuring& measured) {
  std::unordered_set<std::string_view> names;
  for (const score::pool& pool : measured.pools) {
    for (const score::member& member : pool.members) names.insert(member.server);
  }
  return names.size();
}

result<void> report(const std::string& file, const config::loaded& loaded, bool json) {
  boost::json::array zones;
  std::size_t names = 0;
  for (const dns::zone& z : loaded.zones->zones()) {
    zones.push_back({{"name", z.apex().text()}, {"names", z.size()}});
    names += z.size();
  }
  boost::json::array listen;
  for (const auto& address : loaded.options.answering.listen) listen.emplace_back(address.to_string());
  const config::measuring& measured = loaded.servers;
  const std::size_t servers = servers_of(measured);
  if (json) {
    print_json({{"file", file},
                {"valid", true},
                {"problems", boost::json::array()},
                {"node", loaded.options.node.name},
                {"listen", std::move(listen)},
                {"zones", std::move(zones)},
                {"servers", servers},
                {"checks", measured.checks.size()},
                {"targets", measured.targets.size()},
                {"pools", measured.pools.size()}});
    return {};
  }
  std::cout << file << ": good: " << counted(loaded.zones->zones().size(), "zone") << ", " << counted(names, "name")
            << ", " << counted(servers, "server") << ", " << counted(measured.checks.size(), "check") << ", "
            << counted(measured.targets.size(), "target") << ", " << counted(measured.pools.size(), "pool") << ", "
            << loaded.options.answering.listen.size() << " addresses to listen on\n";
  return {};
}

result<void> check_file(const std::string& file, bool json) {
  const auto outcome = config::load(file);
  if (const auto* problems = std::get_if<std::vector<config::problem>>(&outcome)) return report(file, *problems, json);
  return report(file, std::get<config::loaded>(outcome), json);
}

}  // namespace

void add_check(command_line& commands) {
  const auto file = std::make_shared<std::string>();
  CLI::App& app = commands.add_verb("check", "Read a configuration file and tell every problem in it",
                                    "nearside check /etc/nearside/nearsided.toml",
                                    [file, &commands] { return check_file(*file, commands.common().json); });
  app.add_option("CONFIG", *file, "The agent's configuration, TOML")->required();
}

}  // namespace nearside::cli
