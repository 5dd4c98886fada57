// SPDX-License-Identifier: BSD-2-Clause
// Who is said to ask, in a request for an explanation. Used on the daemon's thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/json/object.hpp>
#include <optional>

#include "agent/base/result.hpp"
#include "agent/mapping/prefix.hpp"

namespace nearside::admin {

struct asker {
  boost::asio::ip::address resolver;      // unspecified where it is not said
  boost::asio::ip::address destination;   // which of our addresses is asked; unspecified where it is not said
  std::optional<mapping::prefix> client;  // of ECS
};

/// The members "resolver" and "destination", addresses, and "client", a prefix. Error (invalid): what makes no sense.
[[nodiscard]] result<asker> parse_asker(const boost::json::object& request);

}  // namespace nearside::admin
