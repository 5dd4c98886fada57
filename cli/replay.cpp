// SPDX-License-Identifier: BSD-2-Clause
// nearside replay FILE: the live choosing code over recorded samples, a line for each change of an answer. Needs no
// rights and no agent.
#include "agent/score/replay.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "agent/base/unique_fd.hpp"
#include "agent/config/load.hpp"
#include "agent/dns/lookup.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

// A sample has some 150 octets; a start has all the names.
constexpr std::size_t longest_line = std::size_t{64} << 20;
constexpr std::size_t read_octets = std::size_t{1} << 18;

struct replay_arguments {
  std::string file;
  std::string config;
  std::string name;
  bool why = false;
};

/// The pool of a name of the configuration, with its targets.
result<void> use_pool(const config::loaded& from, const std::string& name, score::replay_settings& settings) {
  const auto qname = dns::name::from_text(name);
  if (!qname) return error{errc::invalid, name + ": " + qname.error().message};
  const std::uint32_t found = dns::pool_of(*from.zones, *qname);
  if (found == dns::no_pool) return error{errc::not_found, name + ": the configuration balances no such name"};
  score::pool pool = from.servers.pools[found];
  for (auto& family : pool.families) {
    for (auto& address : family.addresses) {
      for (std::size_t& target : address.targets) {
        settings.targets.push_back(from.servers.targets[target]);
        target = settings.targets.size() - 1;
      }
    }
  }
  if (settings.targets.empty()) return error{errc::invalid, name + ": its servers have no checks, nothing to replay"};
  settings.by = std::move(pool);
  return {};
}

result<score::replay_settings> settings_of(const replay_arguments& given) {
  score::replay_settings settings;
  settings.why = given.why;
  if (given.config.empty()) {
    if (!given.name.empty()) return error{errc::invalid, "--name needs --config"};
    return settings;
  }
  auto read = config::load(given.config);
  if (const auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
    for (const auto& problem : *problems) std::cerr << config::to_string(problem) << '\n';
    return error{errc::invalid, given.config + ": is not in order"};
  }
  const auto& good = std::get<config::loaded>(read);
  settings.latency = good.servers.latency;
  if (!given.name.empty())
    if (auto used = use_pool(good, given.name, settings); !used) return used.error();
  return settings;
}

/// Reads to the end of the file or of the recording; what has changed is written as soon as it is known.
result<void> run(int from, const std::string& shown, score::replay& through, std::string& output) {
  std::string input;
  std::size_t number = 0;
  for (;;) {
    const std::size_t held = input.size();
    if (held > longest_line)
      return error{errc::invalid, shown + ":" + std::to_string(number + 1) + ": a line of more than 64 MiB"};
    input.resize(held + read_octets);
    const ssize_t got = ::read(from, input.data() + held, read_octets);
    if (got < 0 && errno != EINTR) return system_error(errno, shown);
    input.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 && !input.empty() && input.back() != '\n') input += '\n';
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = input.find('\n', begin == 0 ? held : begin)) != std::string::npos;
         begin = end + 1) {
      ++number;
      const std::string_view line(input.data() + begin, end - begin);
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      const auto more = through.feed(line);
      if (!more) return error{more.error().kind, shown + ":" + std::to_string(number) + ": " + more.error().message};
      if (!*more) return {};
    }
    std::cout << output << std::flush;
    output.clear();
    input.erase(0, begin);
    if (got == 0) return {};
  }
}

result<void> replay(const replay_arguments& given) {
  auto settings = settings_of(given);
  if (!settings) return settings.error();
  unique_fd opened;
  if (given.file != "-") {
    opened = unique_fd(::open(given.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return system_error(errno, given.file);
  }
  std::string output;
  score::replay through(std::move(*settings), [&output](const std::string& line) {
    output += line;
    output += '\n';
  });
  auto done =
      run(opened ? opened.get() : STDIN_FILENO, given.file == "-" ? "standard input" : given.file, through, output);
  std::cout << output << std::flush;
  return done;
}

}  // namespace

void add_replay(command_line& commands) {
  const auto arguments = std::make_shared<replay_arguments>();
  CLI::App& app = commands.add_verb(
      "replay", "Run the choosing code over recorded samples: a line for each change of an answer",
      "nearside replay samples.jsonl\n"
      "nearside replay --config new.toml --name www.lb.example.com --why samples.jsonl",
      [arguments] { return replay(*arguments); },
      "The agent records by `record.file`; docs/policies.md has the form of the lines.");
  app.add_option("FILE", arguments->file, "The recording, JSON lines; -: standard input")->required();
  app.add_option("--config", arguments->config, "Take the numbers of [latency] from this configuration")
      ->type_name("FILE");
  app.add_option("--name", arguments->name, "Take policy, criteria and servers of this name of the configuration")
      ->type_name("NAME");
  app.add_flag("--why", arguments->why, "Add the whole reason to each line");
}

}  // namespace nearside::cli
