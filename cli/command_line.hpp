// SPDX-License-Identifier: BSD-2-Clause
// The command line as a whole: the options that every verb has, the verbs, and which one was chosen.
// Made in main, filled by the add_* functions of verbs.hpp; one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "agent/base/result.hpp"
#include "bpf/map_types.h"

namespace nearside::cli {

/// Where the agent's control socket is unless --socket or the agent's configuration says otherwise.
inline constexpr const char* default_socket = "/run/nearside/control.sock";

/// What every verb can be told.
struct common_options {
  bool json = false;                           // machine-readable output on stdout
  std::filesystem::path pins = PIN_DIRECTORY;  // where maps, program and links are pinned
};

class command_line {
 public:
  using action = std::function<result<void>()>;

  command_line();

  /// Adds a verb with --json, --pins and --help. `example` is shown by --help, one command a line, `note` before it.
  /// `run` is called by run() when the verb is the one given; its error becomes the sentence on stderr and the exit
  /// status. The reference is to the verb's own parser, for its arguments and options; it lives as long as this object.
  CLI::App& add_verb(const std::string& verb, const std::string& description, const std::string& example, action run,
                     const std::string& note = "");

  /// Parses the arguments and runs the verb; returns the exit status.
  [[nodiscard]] int run(int count, const char* const* arguments);

  [[nodiscard]] const common_options& common() const noexcept { return common_; }
  [[nodiscard]] const CLI::App& program() const noexcept { return program_; }

 private:
  void add_common_options(CLI::App& app);
  [[nodiscard]] int run_chosen() const;

  common_options common_;
  CLI::App program_;
  std::string verb_;
  action chosen_;
};

}  // namespace nearside::cli
