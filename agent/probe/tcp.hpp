// SPDX-License-Identifier: BSD-2-Clause
// The check `tcp`: a connection stands within the time-out. http and tls begin with the same.
// Coroutines of the prober's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "agent/config/measuring.hpp"
#include "agent/probe/attempt.hpp"

namespace nearside::probe {

/// Opens `socket` and connects it; `now.found.connect` is set. The time-outs of this and all later steps close the
/// socket, which must live until the check ends.
boost::asio::awaitable<std::optional<trouble>> connect(attempt& now, boost::asio::ip::tcp::socket& socket,
                                                       const config::probe_target& target);

boost::asio::awaitable<std::optional<trouble>> check_tcp(attempt& now, const config::probe_target& target);

}  // namespace nearside::probe
