// SPDX-License-Identifier: BSD-2-Clause
// From the configuration to what the answering sockets take. Used when the daemon starts and when it reloads.
#pragma once

#include <memory>
#include <vector>

#include "agent/config/load.hpp"
#include "agent/plain_choices.hpp"
#include "agent/serve/answerer.hpp"
#include "agent/serve/endpoint.hpp"
#include "agent/serve/tcp.hpp"

namespace nearside {

[[nodiscard]] inline serve::tcp_limits limits_of(const config::serve_settings& options) {
  return {options.tcp_connections, options.tcp_idle, options.tcp_pipeline};
}

[[nodiscard]] inline serve::content content_of(const config::loaded& from) {
  return {from.zones, std::make_shared<dns::choices>(plain_choices(*from.zones)),
          dns::identity{.id = from.options.node.id, .version = from.options.node.version}};
}

[[nodiscard]] inline std::vector<serve::listen_point> points_of(const config::edge_settings& edge) {
  std::vector<serve::listen_point> points;
  for (const auto& address : edge.listen) points.push_back({address, edge.port});
  return points;
}

}  // namespace nearside
