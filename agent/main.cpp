// SPDX-License-Identifier: BSD-2-Clause
// nearsided: reads the command line and the configuration, sets up the log, runs the daemon. The one place that
// catches.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "agent/config/load.hpp"
#include "agent/daemon.hpp"
#include "agent/log_level.hpp"
#include "agent/version.hpp"
#include "bpf/map_types.h"

namespace nearside {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_configuration = 2;  // also a wrong command line: what the operator wrote must change

struct arguments {
  std::filesystem::path config = "/etc/nearside/nearsided.toml";
  std::filesystem::path pins = PIN_DIRECTORY;
  bool check_config = false;
};

void describe(CLI::App& app, arguments& given) {
  app.set_version_flag("--version", std::string("nearsided ") + NEARSIDE_VERSION);
  app.add_option("--config", given.config, "The configuration file")->type_name("FILE")->capture_default_str();
  app.add_option("--pins", given.pins,
                 "Where the kernel's program and maps are pinned: a directory on a BPF file system")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_flag("--check-config", given.check_config,
               "Read the configuration, tell all problems in it, and exit with 0 or 2");
  app.footer(
      "SIGHUP reads the configuration again; a file with a problem changes nothing. SIGTERM stops the agent.\n"
      "Example: nearsided --config /etc/nearside/nearsided.toml --check-config");
}

void print_checked(const std::filesystem::path& file, const config::loaded& good) {
  const auto zones = good.zones->zones();
  std::size_t names = 0;
  for (const auto& zone : zones) names += zone.size();
  std::cout << file.string() << ": ok: " << zones.size() << (zones.size() == 1 ? " zone, " : " zones, ") << names
            << (names == 1 ? " name\n" : " names\n");
}

/// To stderr, one line an event; the journal adds time and pid by itself, so they are only shown to a terminal or a
/// file.
void set_up_log(config::log_level level) {
  auto logger = spdlog::stderr_logger_st("nearsided");
  logger->set_level(spdlog_level(level));
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "level=%l %v" : "%Y-%m-%dT%H:%M:%S.%e%z level=%l %v");
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

int run(int argc, char** argv) {
  arguments given;
  CLI::App app(
      "The agent of a Nearside node, edge or backbone: answers DNS, and publishes to the kernel what it can answer by "
      "itself.",
      "nearsided");
  describe(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& said) {
    return app.exit(said) == 0 ? 0 : exit_configuration;
  }

  auto read = config::load(given.config);
  if (const auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
    for (const auto& problem : *problems) std::cerr << config::to_string(problem) << '\n';
    return exit_configuration;
  }
  auto& good = std::get<config::loaded>(read);
  if (given.check_config) {
    print_checked(given.config, good);
    return 0;
  }
  set_up_log(good.options.log.level);
  daemon agent(given.config, given.pins, std::move(good));
  if (auto done = agent.run(); !done) {
    std::cerr << "nearsided: " << done.error().message << '\n';
    return exit_failed;
  }
  spdlog::info("stopped");
  return 0;
}

}  // namespace
}  // namespace nearside

int main(int argc, char** argv) {
  try {
    return nearside::run(argc, argv);
  } catch (const std::exception& why) {
    std::cerr << "nearsided: " << why.what() << '\n';
    return nearside::exit_failed;
  }
}
