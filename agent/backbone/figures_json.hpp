// SPDX-License-Identifier: BSD-2-Clause
// What the parts of a backbone node count, as members of the object that `nearside status` shows for it.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>

#include "agent/backbone/etcd.hpp"
#include "agent/backbone/port_check.hpp"
#include "agent/backbone/store.hpp"
#include "agent/https/server.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside::backbone {

/// Messages taken and refused, by word; with those that the HTTPS server has refused, which never came to the registry.
[[nodiscard]] boost::json::object messages_json(const mapping::registry& book, const https::server& server,
                                                std::uint64_t unknown_targets);
[[nodiscard]] boost::json::object figures_json(const https::server& server);
[[nodiscard]] boost::json::object figures_json(const store::figures& now);
[[nodiscard]] boost::json::object figures_json(const port_check& checks);
[[nodiscard]] boost::json::object figures_json(const etcd::figures& now);

}  // namespace nearside::backbone
