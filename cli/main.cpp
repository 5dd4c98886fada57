// SPDX-License-Identifier: BSD-2-Clause
// `nearside`, the command line: attaches the program, and tells what it answers and why.
#include <csignal>
#include <exception>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

int main(int count, char** arguments) {
  using namespace nearside;
  // A reader that has seen enough (`nearside names | head`) is told by the failing write, not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    cli::command_line commands;
    cli::add_attach(commands);
    cli::add_detach(commands);
    cli::add_status(commands);
    cli::add_counters(commands);
    cli::add_names(commands);
    cli::add_events(commands);
    cli::add_explain(commands);
    cli::add_servers(commands);
    cli::add_administer(commands);
    cli::add_mappings(commands);
    cli::add_edges(commands);
    cli::add_egress(commands);
    cli::add_withdraw(commands);
    cli::add_check(commands);
    cli::add_replay(commands);
    cli::add_probe(commands);
    cli::add_version(commands);
    cli::add_completion(commands);
    return commands.run(count, arguments);
  } catch (const failure& f) {
    cli::complain("", f.cause.message);
    return cli::exit_status(f.cause.kind);
  } catch (const std::exception& e) {
    cli::complain("", e.what());
    return cli::exit_status(errc::system);
  }
}
