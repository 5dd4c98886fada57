// SPDX-License-Identifier: BSD-2-Clause
// The check `dns`: one query by UDP, and the reply that fits it. A coroutine of the prober's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "agent/probe/attempt.hpp"
#include "agent/probe/prepared_check.hpp"

namespace nearside::probe {

boost::asio::awaitable<std::optional<trouble>> check_dns(attempt& now, const prepared_check& check,
                                                         const config::probe_target& target);

}  // namespace nearside::probe
