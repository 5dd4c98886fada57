// SPDX-License-Identifier: BSD-2-Clause
// The registration in JSON, for the control socket. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <span>
#include <string>

#include "agent/mapping/discovery.hpp"
#include "agent/mapping/registrar.hpp"

namespace nearside::registration {

struct node_status {
  std::string name;
  std::string server;  // "b1.example.net:443"
  const mapping::registrar* machine = nullptr;
};

/// The members `resolvers`, `egresses` and `backbones` of registration::status(). The nodes' numbers are those that
/// `found` knows them by.
[[nodiscard]] boost::json::object status_of(const mapping::discovery& found, std::span<const node_status> nodes,
                                            std::chrono::steady_clock::time_point now);

}  // namespace nearside::registration
