// SPDX-License-Identifier: BSD-2-Clause
#include "cli/command_line.hpp"

#include <iostream>
#include <utility>

#include "cli/exit_status.hpp"
#include "cli/output.hpp"

namespace nearside::cli {
namespace {

/// The verb that was being parsed when the parser gave up; empty where it did not come so far.
std::string verb_being_parsed(const CLI::App& program) {
  const auto verbs = program.get_subcommands();
  return verbs.empty() ? std::string() : verbs.front()->get_name();
}

/// CLI11's messages are sentences over one or several lines; stderr gets the first.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

command_line::command_line() : program_("Answers DNS queries in the kernel: the command line of Nearside", "nearside") {
  program_.require_subcommand(1);
  program_.set_version_flag("--version", "nearside " NEARSIDE_VERSION, "Print the version and end");
  program_.footer(
      "Example:\n"
      "  nearside attach eth0\n"
      "  nearside explain www.lb.example.com --type AAAA\n"
      "\n"
      "Exit status: 0 done, 1 system error, 2 usage or invalid input, 3 not found, 4 denied, 5 busy,\n"
      "6 unsupported, 7 a limit is reached, 8 what was asked about does not work. `nearside VERB --help` tells more "
      "about "
      "each verb.");
  add_common_options(program_);
}

void command_line::add_common_options(CLI::App& app) {
  app.get_formatter()->column_width(34);
  app.add_flag("--json", common_.json, "Print JSON, with stable keys");
  app.add_option("--pins", common_.pins, "Where maps, program and links are pinned (default " PIN_DIRECTORY ")")
      ->type_name("DIR");
}

CLI::App& command_line::add_verb(const std::string& verb, const std::string& description, const std::string& example,
                                 action run, const std::string& note) {
  CLI::App& added = *program_.add_subcommand(verb, description);
  add_common_options(added);
  std::string shown = note + (note.empty() ? "" : "\n\n") + "Example:";
  for (std::size_t at = 0; at < example.size();) {
    const std::size_t end = std::min(example.find('\n', at), example.size());
    shown += "\n  " + example.substr(at, end - at);
    at = end + 1;
  }
  added.footer(shown);
  added.callback([this, verb, run = std::move(run)] {
    verb_ = verb;
    chosen_ = run;
  });
  return added;
}

int command_line::run(int count, const char* const* arguments) {
  try {
    program_.parse(count, arguments);
  } catch (const CLI::Success& asked) {  // --help, --version
    program_.exit(asked);
    return exit_ok;
  } catch (const CLI::ParseError& wrong) {
    const std::string verb = verb_being_parsed(program_);
    const std::string command = verb.empty() ? "nearside" : "nearside " + verb;
    complain(verb, first_line(wrong.what()) + " (see " + command + " --help)");
    return exit_status(errc::invalid);
  }
  return run_chosen();
}

int command_line::run_chosen() const {
  int status = exit_ok;
  if (const auto done = chosen_(); !done) {
    complain(verb_, done.error().message);
    status = exit_status(done.error().kind);
  }
  // A full disk or a closed pipe must not look like success to a script.
  if (!std::cout.flush() && status == exit_ok) {
    complain(verb_, "the output could not be written");
    status = exit_status(errc::system);
  }
  return status;
}

}  // namespace nearside::cli
