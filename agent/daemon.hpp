// SPDX-License-Identifier: BSD-2-Clause
// nearsided as a whole: starts in the right order, answers, reloads on SIGHUP, stops on SIGTERM. Made and run by main;
// one thread does everything, so that a reload is one step between two queries.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "agent/admin/control.hpp"
#include "agent/backbone_side.hpp"
#include "agent/balancer.hpp"
#include "agent/base/unique_fd.hpp"
#include "agent/config/load.hpp"
#include "agent/edge_side.hpp"
#include "agent/kernel_side.hpp"
#include "agent/mapping_publisher.hpp"
#include "agent/serve/listeners.hpp"

namespace nearside {

class daemon {
 public:
  /// `initial` was loaded from `config_path`, which a reload reads again.
  daemon(std::filesystem::path config_path, std::filesystem::path pins, config::loaded initial);
  ~daemon();
  daemon(const daemon&) = delete;
  daemon& operator=(const daemon&) = delete;

  /// Runs until SIGTERM or SIGINT. Errors: what kept it from starting. Throws when something fails that must not.
  result<void> run();

 private:
  /// After the kernel refused to take what is published, it is tried again.
  static constexpr std::chrono::milliseconds publish_retry{1000};

  struct reload_outcome {
    std::chrono::system_clock::time_point when;
    std::optional<std::string> problem;  // none: the configuration is in force
  };

  result<void> start();
  /// Makes what this node has of the mapping, by its role.
  result<void> join_mapping();
  void stop(int signal);
  /// Reads the configuration and puts it in force; on any problem all stays as it was.
  result<void> reload();
  result<void> put_in_force(config::loaded next);
  /// Brings the kernel to what the answering sockets have in force.
  result<void> publish();
  /// Brings these pools' answers to the kernel, at once.
  void publish_change(std::span<const std::uint32_t> pools);
  /// What the answering sockets make their replies from.
  [[nodiscard]] serve::content make_content() const;
  /// A balancer for the configuration in force, which goes on from what is known.
  [[nodiscard]] std::unique_ptr<balancer> make_balancer(const score::memory& known);
  /// Publishes when the timer's time has come, and again while slots rest in quarantine or the kernel refuses.
  void publish_later();
  void renew_lease();
  [[nodiscard]] std::string summary() const;

  boost::asio::awaitable<void> handle_signals();
  boost::asio::awaitable<void> keep_lease();
  boost::asio::awaitable<void> watch_routes();
  /// Tells the backbone nodes what changed; a burst of changes is one report.
  void report_soon();
  /// An edge's report, at each change and at times in between.
  boost::asio::awaitable<void> keep_reporting();
  void spawn(boost::asio::awaitable<void> loop);

  [[nodiscard]] result<boost::json::object> answer_control(const boost::json::object& request);
  [[nodiscard]] result<boost::json::object> explain(const boost::json::object& request) const;
  [[nodiscard]] boost::json::object status() const;

  const std::filesystem::path config_path_;
  const std::filesystem::path pins_;
  config::loaded current_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::optional<reload_outcome> last_reload_;
  std::exception_ptr failed_;  // a loop that must not end has thrown this

  unique_fd instance_lock_;
  serve::pick_source picks_;
  std::unique_ptr<serve::answerer> answers_;
  std::unique_ptr<kernel_side> kernel_;
  // Below all that its handlers use, so that these are still there when it goes and takes the coroutines with it.
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer lease_timer_{io_};
  boost::asio::steady_timer publish_timer_{io_};
  boost::asio::steady_timer report_timer_{io_};
  std::optional<serve::listeners> listeners_;
  std::shared_ptr<admin::control_server> control_;
  std::unique_ptr<balancer> balancer_;
  std::unique_ptr<backbone_side> backbone_;   // of a backbone node
  std::unique_ptr<mapping_publisher> sites_;  // of a backbone node
  std::unique_ptr<edge_side> edge_;           // of an edge that registers
};

}  // namespace nearside
