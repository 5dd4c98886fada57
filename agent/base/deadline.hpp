// SPDX-License-Identifier: BSD-2-Clause
// Bounds the waits of one coroutine: when the time of a step is up, what it waits for is given up, and the coroutine
// sees operation_aborted. Owned by the coroutine; runs on its executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace nearside {

class deadline {
 public:
  using clock = std::chrono::steady_clock;

  explicit deadline(const boost::asio::any_io_executor& executor);

  /// What to do when the time is up: close the socket that is waited for. Called at most once, and never after this
  /// object's end; what it refers to must live as long.
  void give_up_by(std::function<void()> give_up) { state_->give_up = std::move(give_up); }
  /// The next step may take this long, from now.
  void within(clock::duration time);
  [[nodiscard]] bool expired() const noexcept { return state_->expired; }

 private:
  struct state {
    explicit state(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    clock::time_point at = clock::time_point::max();
    std::function<void()> give_up;
    bool waiting = false;
    bool expired = false;
  };

  static void watch(const std::shared_ptr<state>& watched);

  std::shared_ptr<state> state_;
};

}  // namespace nearside
