// SPDX-License-Identifier: BSD-2-Clause
// The daemon's reload: all of the new configuration comes into force, or nothing of it.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "agent/admin/notify.hpp"
#include "agent/daemon.hpp"
#include "agent/in_force.hpp"
#include "agent/log_level.hpp"

namespace nearside {

result<void> daemon::reload() {
  admin::notify_reloading();
  auto read = config::load(config_path_);
  result<void> outcome;
  if (const auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
    std::string all;
    for (const auto& problem : *problems) {
      spdlog::error("configuration problem=\"{}\"", config::to_string(problem));
      all += (all.empty() ? "" : "\n") + config::to_string(problem);
    }
    outcome = error{errc::invalid, all};
  } else {
    outcome = put_in_force(std::move(std::get<config::loaded>(read)));
  }
  last_reload_ = reload_outcome{std::chrono::system_clock::now(), std::nullopt};
  if (!outcome) {
    last_reload_->problem = outcome.error().message;
    spdlog::error(R"(reload refused error="{}" effect="what was in force before goes on")", outcome.error().message);
  } else {
    spdlog::info("reloaded {}", summary());
  }
  admin::notify_ready(summary());
  return outcome;
}

result<void> daemon::put_in_force(config::loaded next) {
  if (next.options.backbone.has_value() != current_.options.backbone.has_value())
    return error{errc::invalid, "an edge does not become a backbone node, nor the reverse: restart the agent"};
  const auto wanted = points_of(next.options.answering);
  const auto before = listeners_->points();
  std::vector<serve::listen_point> opened;
  // New addresses: first the socket, then the kernel. One that cannot be bound refuses the whole reload.
  for (const auto& point : wanted) {
    if (listeners_->has(point)) continue;
    if (auto bound = listeners_->open(point); !bound) {
      for (const auto& undo : opened) listeners_->close(undo);
      return bound.error();
    }
    opened.push_back(point);
  }

  // What can be refused comes before what is changed for good.
  std::unique_ptr<edge_side> edge;
  result<void> joined;
  if (next.options.registration) {
    auto made = edge_side::make(io_.get_executor(), next);
    if (made)
      edge = std::move(*made);
    else
      joined = made.error();
  }
  if (joined && backbone_) joined = backbone_->reload(next);
  if (!joined) {
    for (const auto& undo : opened) listeners_->close(undo);
    return joined;
  }

  if (next.options.control.socket != current_.options.control.socket) {
    spdlog::warn("control.socket stays in_force={} configured={} hint=\"restart the agent\"",
                 current_.options.control.socket.string(), next.options.control.socket.string());
    next.options.control.socket = current_.options.control.socket;
  }
  kernel_->warn_of_other_sizes(next.options.maps);

  // The old one measures no more; the new one goes on from what it knew.
  balancer_->stop();
  const score::memory known = balancer_->hand_over();
  current_ = std::move(next);
  balancer_ = make_balancer(known);
  spdlog::set_level(spdlog_level(current_.options.log.level));
  listeners_->set_limits(limits_of(current_.options.serve));
  publish_timer_.cancel();
  // Registrations go on where they were: the backbone nodes keep what they know until they are told otherwise.
  edge_ = std::move(edge);
  const auto content = make_content();
  const auto rules = site_rules_of(current_);
  if (auto done = kernel_->publish(*content.zones, *content.choices, balancer_->stale(), rules); !done) {
    // Some names may still be answered from the old zones; the publisher goes on from where it stopped.
    spdlog::error("not published error=\"{}\"", done.error().message);
    publish_timer_.expires_after(publish_retry);
    publish_later();
  } else if (const auto again = kernel_->last_publish().again_at) {
    publish_timer_.expires_at(*again);
    publish_later();
  }
  if (sites_) sites_->zones_changed(content.zones);
  answers_->publish(content);
  balancer_->start();
  if (edge_) edge_->start();
  if (edge_) report_soon();
  if (auto applied = kernel_->apply(current_.options); !applied) {
    // The kernel may still answer on the addresses before: their sockets stay, as it passes queries up to them.
    spdlog::error("not applied to the kernel error=\"{}\"", applied.error().message);
    return applied.error();
  }
  // Addresses given up: the kernel has stopped answering them, so no reply can come after the socket is gone.
  for (const auto& point : before)
    if (std::find(wanted.begin(), wanted.end(), point) == wanted.end()) listeners_->close(point);
  lease_timer_.cancel();
  return {};
}

}  // namespace nearside
