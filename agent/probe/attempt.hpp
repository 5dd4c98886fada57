// SPDX-License-Identifier: BSD-2-Clause
// One check under way: the step it is in, the time that step has, and the figures so far.
// Made by run_check(), which outlives the check's coroutine; runs on the coroutine's executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>

#include "agent/base/deadline.hpp"
#include "agent/probe/trouble.hpp"
#include "agent/score/sample.hpp"

namespace nearside::probe {

class attempt {
 public:
  using clock = std::chrono::steady_clock;

  attempt(boost::asio::any_io_executor executor, std::chrono::milliseconds timeout)
      : executor_(std::move(executor)), timeout_(timeout), deadline_(executor_), started_(clock::now()) {}

  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept { return timeout_; }

  /// A step begins, and has `timeout` from now. When that is up, `give_up` is called, which must end the step's wait;
  /// it stands until another one is given. `name` must be a literal: "connect".
  void step(const char* name, std::function<void()> give_up) {
    deadline_.give_up_by(std::move(give_up));
    step(name);
  }
  void step(const char* name) {
    step_ = name;
    deadline_.within(timeout_);
  }
  [[nodiscard]] bool timed_out() const noexcept { return deadline_.expired(); }

  /// What ended the step: its time, or the error.
  [[nodiscard]] trouble why(const boost::system::error_code& failed) const {
    if (timed_out()) return late();
    return trouble_of(failed, step_);
  }
  [[nodiscard]] trouble late() const { return {cause::timeout, std::string("timeout: ") + step_}; }

  [[nodiscard]] score::duration elapsed() const { return clock::now() - started_; }

  /// `what`, `at` and `reason` are filled in at the end.
  score::sample found;

 private:
  boost::asio::any_io_executor executor_;
  std::chrono::milliseconds timeout_;
  deadline deadline_;
  clock::time_point started_;
  const char* step_ = "";
};

}  // namespace nearside::probe
