// SPDX-License-Identifier: BSD-2-Clause
// nearside check CONFIG: all problems of a configuration file at once, or what it holds. Needs no rights.
#include <boost/json/array.hpp>
#include <iostream>
#include <memory>

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

result<void> report(const std::string& file, const config::loaded& loaded, bool json) {
  boost::json::array zones;
  std::size_t names = 0;
  for (const dns::zone& z : loaded.zones->zones()) {
    zones.push_back({{"name", z.apex().text()}, {"names", z.size()}});
    names += z.size();
  }
  boost::json::array listen;
  for (const auto& address : loaded.options.edge.listen) listen.emplace_back(address.to_string());
  if (json) {
    print_json({{"file", file},
                {"valid", true},
                {"problems", boost::json::array()},
                {"node", loaded.options.node.name},
                {"listen", std::move(listen)},
                {"zones", std::move(zones)}});
    return {};
  }
  std::cout << file << ": good: " << counted(loaded.zones->zones().size(), "zone") << ", " << counted(names, "name")
            << ", " << loaded.options.edge.listen.size() << " addresses to listen on\n";
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
