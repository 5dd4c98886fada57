// SPDX-License-Identifier: BSD-2-Clause
// The checks `http` and `https`: one request on a connection of its own, an expected status, an expected body.
// Coroutines of the prober's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "agent/probe/attempt.hpp"
#include "agent/probe/http_answer.hpp"
#include "agent/probe/prepared_check.hpp"

namespace nearside::probe {

boost::asio::awaitable<std::optional<trouble>> check_http(attempt& now, const prepared_check& check,
                                                          const config::probe_target& target);
boost::asio::awaitable<std::optional<trouble>> check_https(attempt& now, const prepared_check& check,
                                                           const config::probe_target& target);

/// The octets of the request (RFC 9112): HTTP/1.1 with `Connection: close`.
[[nodiscard]] std::string http_request(const config::check& check, const config::probe_target& target);

/// Whether the answer is the expected one: "http 503", "body mismatch".
[[nodiscard]] std::optional<trouble> judge(const prepared_check& check, const http_answer& answer);

}  // namespace nearside::probe
