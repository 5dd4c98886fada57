// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/exec.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/unit/probe/loop.hpp"

using namespace nearside;
using namespace nearside::probe;
using score::outcome;

namespace {

config::check running(std::vector<std::string> command, std::chrono::milliseconds timeout = 5s) {
  auto check = check_of(config::check_type::exec, timeout);
  check.command = std::move(command);
  return check;
}

config::check script(const std::string& text, std::chrono::milliseconds timeout = 5s) {
  return running({"/bin/sh", "-c", text, "sh", "{address}", "{port}", "{server}"}, timeout);
}

std::string reason(loop& here, const config::check& check) {
  const auto found = here.run(check, 8080);
  REQUIRE(found.has_value());
  return found->reason;
}

bool no_child_is_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

/// The process whose number is in the file, which is removed, is dead, or a zombie that init has yet to reap; the
/// signal may be on its way.
bool is_gone(const std::filesystem::path& file) {
  pid_t process = 0;
  std::ifstream(file) >> process;
  std::filesystem::remove(file);
  REQUIRE(process > 0);
  const auto running_still = [&] {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    return (stat >> number >> name >> state) && state != "Z" && state != "X";
  };
  for (int i = 0; i < 200 && running_still(); ++i) ::usleep(10000);
  return !running_still();
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a command's places are filled in, and nothing else is changed", "[probe][exec]") {
  const config::probe_target target{0, asio::ip::make_address("2001:db8::80"), 8080};
  CHECK(filled_in({"/x", "-H", "{address}", "{server}:{port}", "{other}", "{{address}}", "$HOME; `ls`"}, target,
                  "{port}") == std::vector<std::string>{"/x", "-H", "2001:db8::80", "{port}:8080", "{other}",
                                                        "{2001:db8::80}", "$HOME; `ls`"});
}

TEST_CASE("a program may state the response time in a line of its own", "[probe][exec]") {
  CHECK(stated_rtt("rtt=12.5\n") == 12500us);
  CHECK(stated_rtt("OK - fine\nrtt=0.25\r\n|x=1\n") == 250us);
  CHECK(stated_rtt("rtt=3") == 3ms);
  for (const char* none :
       {"", "ok", "rtt=", "rtt=x", "rtt=-1", "rtt=nan", "rtt=inf", "rtt=1e99", "rtt=5 ms", " rtt=5", "x rtt=5"}) {
    INFO(none);
    CHECK_FALSE(stated_rtt(none));
  }
}

TEST_CASE("exit status 0 is success, and the run's time is the first byte's", "[probe][exec]") {
  loop here;
  const auto found = here.run(script("sleep 0.05; test $1 = 127.0.0.1 -a $2 = 8080 -a $3 = server1"), 8080);
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::ok);
  REQUIRE(found->first_byte);
  CHECK(*found->first_byte >= 50ms);
  CHECK_FALSE(found->connect);
  CHECK(no_child_is_left());
}

TEST_CASE("a line rtt= takes the place of the run's time", "[probe][exec]") {
  loop here;
  const auto found = here.run(script("echo hello; echo rtt=12.5"), 8080);
  REQUIRE(found.has_value());
  CHECK(found->first_byte == 12500us);
}

TEST_CASE("another exit status, and a signal, are failures by their number", "[probe][exec]") {
  loop here;
  CHECK(reason(here, script("exit 2")) == "exit status 2");
  CHECK(reason(here, script("kill -SEGV $$")) == "killed by signal 11");
  CHECK(no_child_is_left());
}

TEST_CASE("each of many programs is waited for, whatever ends beside it", "[probe][exec]") {
  loop here;
  const auto prepared = prepared_check::make(script("exit 3"));
  REQUIRE(prepared.has_value());
  const config::probe_target target{0, asio::ip::make_address("127.0.0.1"), 0};
  std::map<std::string, int> reasons;
  auto in_a_row = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 60; ++i) {
      const auto found = co_await run_check(here.context.get_executor(), *prepared, target, "", here.echoes);
      ++reasons[found ? found->reason : found.error().message];
    }
  };
  for (int i = 0; i < 8; ++i) asio::co_spawn(here.context, in_a_row(), asio::detached);
  here.context.run_for(60s);
  CHECK(reasons == std::map<std::string, int>{{"exit status 3", 480}});
  CHECK(no_child_is_left());
}

TEST_CASE("a program that runs too long is killed with its children, and leaves no zombie", "[probe][exec]") {
  loop here;
  const auto file = std::filesystem::temp_directory_path() / ("nearside-exec-" + std::to_string(::getpid()));
  const auto begin = std::chrono::steady_clock::now();
  const auto found = here.run(script("sleep 60 & echo $! >" + file.string() + "; trap '' TERM; sleep 60", 300ms), 8080);
  REQUIRE(found.has_value());
  CHECK(found->what == outcome::lost);
  CHECK(found->reason == "timeout: run");
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
  here.context.restart();
  here.context.run_for(100ms);
  CHECK(no_child_is_left());
  CHECK(is_gone(file));
}

TEST_CASE("a child that stays behind with the pipe does not hold up the check, and is killed", "[probe][exec]") {
  loop here;
  const auto file = std::filesystem::temp_directory_path() / ("nearside-exec-" + std::to_string(::getpid()));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(reason(here, script("sleep 60 & echo $! >" + file.string() + "; exit 0")).empty());
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
  CHECK(is_gone(file));
}

TEST_CASE("a program that writes without end is neither stopped nor remembered", "[probe][exec]") {
  loop here;
  CHECK(reason(here, script("head -c 10000000 /dev/zero; echo rtt=1", 30s)).empty());
  const auto found = here.run(script("echo rtt=7; head -c 10000000 /dev/zero", 30s), 8080);
  REQUIRE(found.has_value());
  CHECK(found->first_byte == 7ms);
  // Beyond the first 4 KiB nothing is looked at.
  const auto beyond = here.run(script("head -c 5000 /dev/zero; echo; echo rtt=3600000"), 8080);
  REQUIRE(beyond.has_value());
  CHECK(beyond->first_byte < 1h);
}

TEST_CASE("a program sees no descriptor of ours, an empty standard input, and signals as they should be",
          "[probe][exec]") {
  loop here;
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const int inheritable = ::dup(STDERR_FILENO);
  const std::string look = R"sh(
      for f in /proc/$$/fd/*; do test "${f##*/}" -le 2 || test ! -e "$f" || exit 3; done
      read line && exit 4
      grep -q 'SigIgn:.*0[0-9a-f][0-9a-f][0-9a-f]$' /proc/$$/status || exit 5
      test "$(cut -d' ' -f5 /proc/$$/stat)" = $$ || exit 6
      test "$(tr '\0' '\n' </proc/$$/environ | cut -d= -f1 | tr '\n' ' ')" = "PATH LC_ALL " || exit 7)sh";
  CHECK(reason(here, script(look)) == "");
  ::close(inheritable);
  std::signal(SIGPIPE, before);
}

TEST_CASE("a SIGCHLD that was ignored when we were started hides no exit status", "[probe][exec]") {
  loop here;
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  CHECK(reason(here, script("exit 2")) == "exit status 2");
  CHECK(no_child_is_left());
  std::signal(SIGCHLD, before);
}

TEST_CASE("a program that is not there is a fault of ours", "[probe][exec]") {
  loop here;
  const auto found = here.run(running({"/nonexistent/check"}), 8080);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().kind == errc::not_found);
  CHECK(found.error().message == "exec /nonexistent/check: No such file or directory");
  CHECK(no_child_is_left());
}

TEST_CASE("programs leave no descriptors behind", "[probe][exec]") {
  loop here;
  CHECK(reason(here, script("exit 0")).empty());
  here.context.restart();
  here.context.run_for(50ms);
  const int before = open_descriptors();
  for (int i = 0; i < 20; ++i) CHECK(reason(here, script("exit 0")).empty());
  here.context.restart();
  here.context.run_for(50ms);
  CHECK(open_descriptors() == before);
}

TEST_CASE("a loop that ends before the program does takes it along", "[probe][exec]") {
  {
    loop here;
    const auto prepared = prepared_check::make(script("sleep 60"));
    REQUIRE(prepared.has_value());
    auto ignore = [](const std::exception_ptr&, const result<score::sample>&) {};
    asio::co_spawn(
        here.context,
        run_check(here.context.get_executor(), *prepared, {0, asio::ip::make_address("127.0.0.1"), 0}, "", here.echoes),
        ignore);
    here.context.run_for(50ms);
    CHECK_FALSE(no_child_is_left());
  }
  CHECK(no_child_is_left());
}
