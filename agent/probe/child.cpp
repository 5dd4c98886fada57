// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>

#include "agent/base/unique_fd.hpp"

namespace nearside::probe {
namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_output = 4096;
// Then others of the event loop have their turn.
constexpr int reads_at_once = 16;
// A killed process is gone within microseconds, unless the kernel itself hangs; then init reaps it after us.
constexpr int last_wait_ms = 100;

/// The attributes and file actions of posix_spawn(3).
struct spawn_plan {
  spawn_plan() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
  spawn_plan(spawn_plan&&) = delete;
  spawn_plan& operator=(spawn_plan&&) = delete;

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

/// 0, or the errno of what failed.
int make_plan(spawn_plan& plan, int output) {
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  // Signals that we ignore or block (SIGPIPE, those of a signalfd) would stay so across exec.
  int failed = ::posix_spawnattr_setflags(&plan.attributes,
                                          POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if (failed == 0) failed = ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  if (failed == 0) failed = ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  if (failed == 0) failed = ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  if (failed == 0) failed = ::posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (failed == 0) failed = ::posix_spawn_file_actions_adddup2(&plan.actions, output, STDOUT_FILENO);
  if (failed == 0) failed = ::posix_spawn_file_actions_addopen(&plan.actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (failed == 0) failed = ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);
  return failed;
}

}  // namespace

struct child::process : std::enable_shared_from_this<process> {
  process(const asio::any_io_executor& executor, pid_t started, unique_fd handle, unique_fd read_end)
      : pid(started), pidfd(executor, handle.release()), output(executor, read_end.release()) {}
  ~process() {
    if (reaped) return;
    // The event loop has gone before the process.
    pollfd end{pidfd.native_handle(), POLLIN, 0};
    ::poll(&end, 1, last_wait_ms);
    reap();
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  process(process&&) = delete;
  process& operator=(process&&) = delete;

  /// Takes what is in the pipe; what is beyond the limit is read and dropped, so that the program never waits for us.
  /// False at the end of the file.
  bool take_output() {
    std::array<char, most_output> octets;  // NOLINT(*-member-init): filled by each read
    for (int i = 0; i < reads_at_once; ++i) {
      const auto got = ::read(output.native_handle(), octets.data(), octets.size());
      if (got == 0) return false;
      if (got < 0) break;
      text.append(octets.data(), std::min(static_cast<std::size_t>(got), most_output - text.size()));
    }
    return true;
  }

  void read_on() {
    auto on_readable = [self = shared_from_this()](const error_code& failed) {
      if (failed || self->gone) return;
      // At the end of the file the pipe would stay readable: then only the end of the process matters.
      if (self->take_output()) self->read_on();
    };
    output.async_wait(stream_descriptor::wait_read, std::move(on_readable));
  }

  /// A wait may return early: an event of a descriptor that has just gone can reach the one that took its place in
  /// the event loop.
  [[nodiscard]] bool has_ended() const {
    siginfo_t report{};
    const int failed = ::waitid(P_PID, static_cast<id_t>(pid), &report, WEXITED | WNOHANG | WNOWAIT);
    return failed != 0 || report.si_pid == pid;
  }

  /// Only before the process is reaped: until then its number is its own, and so is that of its group.
  void kill_group() const { ::kill(-pid, SIGKILL); }

  void reap() {
    siginfo_t report{};
    int done = 0;
    do done = ::waitid(P_PID, static_cast<id_t>(pid), &report, WEXITED | WNOHANG);
    while (done != 0 && errno == EINTR);
    if (done != 0 || report.si_pid == 0) return;
    reaped = true;
    ended = report.si_code == CLD_EXITED ? exit_report{report.si_status, 0} : exit_report{0, report.si_status};
  }

  void reap_at_end() {
    auto on_end = [self = shared_from_this()](const error_code& failed) {
      if (!failed && !self->has_ended()) return self->reap_at_end();
      self->reap();
    };
    pidfd.async_wait(stream_descriptor::wait_read, std::move(on_end));
  }

  pid_t pid;
  stream_descriptor pidfd;  // readable when it has ended (pidfd_open(2))
  stream_descriptor output;
  std::string text;
  exit_report ended{-1, 0};  // what nobody could tell is no success
  bool reaped = false;
  bool gone = false;  // nobody waits for it any more
};

result<child> child::start(const asio::any_io_executor& executor, const std::vector<std::string>& command) {
  const std::string doing = "exec " + command.front();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error(errno, doing + ": pipe");
  unique_fd read_end(ends[0]);
  const unique_fd write_end(ends[1]);
  if (::fcntl(read_end.get(), F_SETFL, O_NONBLOCK) != 0) return system_error(errno, doing + ": pipe");

  spawn_plan plan;
  if (const int failed = make_plan(plan, write_end.get()); failed != 0) return system_error(failed, doing);
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::string locale = "LC_ALL=C";
  std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  // Ignored, as whoever started us may have left it, it would have the kernel reap the process before us (waitpid(2)).
  std::signal(SIGCHLD, SIG_DFL);
  pid_t pid = 0;
  if (const int failed = ::posix_spawn(&pid, command.front().c_str(), &plan.actions, &plan.attributes, arguments.data(),
                                       environment.data());
      failed != 0)
    return system_error(failed, doing);

  // It is not reaped before, so the number cannot mean another process.
  unique_fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle) {
    const int failed = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_error(failed, doing + ": pidfd");
  }
  auto started = std::make_shared<process>(executor, pid, std::move(handle), std::move(read_end));
  started->read_on();
  return child(std::move(started));
}

asio::awaitable<std::optional<exit_report>> child::ended() {
  const auto mine = process_;
  do {
    const auto [failed] = co_await mine->pidfd.async_wait(stream_descriptor::wait_read, as_result);
    if (failed || mine->gone) co_return std::nullopt;
  } while (!mine->has_ended());
  mine->take_output();
  // What it left behind in its group ends with it.
  mine->kill_group();
  mine->reap();
  co_return mine->ended;
}

void child::kill() {
  if (!process_ || process_->gone) return;
  process_->gone = true;
  error_code ignored;
  process_->output.close(ignored);
  process_->pidfd.cancel(ignored);
  if (process_->reaped) return;
  process_->kill_group();
  process_->reap_at_end();
}

child::~child() { kill(); }

const std::string& child::output() const noexcept { return process_->text; }

}  // namespace nearside::probe
