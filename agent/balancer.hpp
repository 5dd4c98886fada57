// SPDX-License-Identifier: BSD-2-Clause
// Measuring and choosing as one thing: probes feed the scoreboard, whose decisions go to whoever publishes them, and
// what is known is kept in a file. Owned by the daemon, one for each configuration in force; one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/config/load.hpp"
#include "agent/mapping/report.hpp"
#include "agent/probe/prober.hpp"
#include "agent/recorder.hpp"
#include "agent/score/scoreboard.hpp"

namespace nearside {

class balancer {
 public:
  /// Called in the same step as what decided: these pools answer something else from now on.
  using change_handler = std::function<void(std::span<const std::uint32_t> pools)>;

  /// Decides all pools by what is `known`, measures nothing yet.
  balancer(const boost::asio::any_io_executor& executor, const config::loaded& from, const score::memory& known,
           change_handler on_change);
  ~balancer();
  balancer(const balancer&) = delete;
  balancer& operator=(const balancer&) = delete;

  /// Begins to measure.
  void start();
  /// Ends it, and keeps what is known.
  void stop();

  [[nodiscard]] const std::shared_ptr<dns::choices>& choices() const noexcept { return board_.choices(); }
  /// What the kernel answers past the lease; empty: it passes the query up.
  [[nodiscard]] const dns::choices& stale() const noexcept { return stale_; }
  /// What backbone nodes are told of it.
  [[nodiscard]] mapping::report report() const;
  /// All that is known, for the balancer of the next configuration.
  [[nodiscard]] score::memory hand_over() const;

  // The control verbs.
  [[nodiscard]] result<boost::json::object> servers(const boost::json::object& request) const;
  result<boost::json::object> administer(const boost::json::object& request);
  [[nodiscard]] boost::json::object explain(std::size_t pool) const;
  [[nodiscard]] boost::json::object status() const;

 private:
  bool take(std::size_t target, const score::sample& found);
  void bring_about(const score::scoreboard::effect& effect, const std::string& because);
  void log_standing(std::size_t target, score::standing before) const;
  void keep_soon();
  result<void> keep(bool durable);
  void keep_later();
  void wait_for_expiry();
  void log_answers(const std::vector<std::uint32_t>& pools, const std::string& because);

  std::shared_ptr<const config::measuring> configured_;
  std::vector<std::vector<std::string>> names_;  // by pool
  std::filesystem::path state_file_;
  change_handler on_change_;
  score::scoreboard board_;
  dns::choices stale_;
  recorder recorder_;
  probe::prober prober_;
  boost::asio::steady_timer expiry_;
  boost::asio::steady_timer keeping_;
  // Held by the handlers of the timers: one that is queued already comes after stop(), and perhaps after our end.
  std::shared_ptr<balancer*> self_ = std::make_shared<balancer*>(this);
  bool running_ = false;
  bool keep_is_near_ = false;
  std::string not_kept_;  // why the last time
  std::chrono::milliseconds keeping_took_{0};
  std::unordered_map<std::uint64_t, std::string> logged_;  // by pool and family: the servers told last
};

}  // namespace nearside
