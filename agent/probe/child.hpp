// SPDX-License-Identifier: BSD-2-Clause
// A program that a check runs: in a process group of its own, with /dev/null, a pipe and nothing else of ours open.
// Owned by the check's coroutine; on its executor. When it goes, the group is killed and the process reaped.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.hpp"

namespace nearside::probe {

/// How a process ended.
struct exit_report {
  int status = 0;
  int signal = 0;  // that ended it; 0: it exited
};

class child {
 public:
  /// Starts `command` (absolute path, then arguments; no shell) with PATH and LC_ALL as its only environment.
  /// Errors: those of posix_spawn(3), with the path.
  [[nodiscard]] static result<child> start(const boost::asio::any_io_executor& executor,
                                           const std::vector<std::string>& command);

  child(child&&) noexcept = default;
  child& operator=(child&&) noexcept = default;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  /// Waits for its end; nothing: kill() came before.
  boost::asio::awaitable<std::optional<exit_report>> ended();
  /// Kills the whole group; ended() then returns nothing.
  void kill();
  /// The first 4 KiB that it wrote to its standard output until it ended.
  [[nodiscard]] const std::string& output() const noexcept;

 private:
  struct process;
  explicit child(std::shared_ptr<process> started) : process_(std::move(started)) {}
  std::shared_ptr<process> process_;
};

}  // namespace nearside::probe
