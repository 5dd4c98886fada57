// SPDX-License-Identifier: BSD-2-Clause
// From the configuration to what the answering sockets take. Used when the daemon starts and when it reloads.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "agent/config/load.hpp"
#include "agent/serve/answerer.hpp"
#include "agent/serve/endpoint.hpp"
#include "agent/serve/tcp.hpp"

namespace nearside {

[[nodiscard]] inline serve::tcp_limits limits_of(const config::serve_settings& options) {
  return {options.tcp_connections, options.tcp_idle, options.tcp_pipeline};
}

[[nodiscard]] inline serve::content content_of(const config::loaded& from, std::shared_ptr<dns::choices> choices,
                                               std::shared_ptr<const dns::mapping> map) {
  return {from.zones, std::move(choices),
          dns::identity{.id = from.options.node.id, .version = from.options.node.version}, std::move(map)};
}

[[nodiscard]] inline std::vector<serve::listen_point> points_of(const config::answering_settings& answering) {
  std::vector<serve::listen_point> points;
  for (const auto& address : answering.listen) points.push_back({address, answering.port});
  return points;
}

}  // namespace nearside
