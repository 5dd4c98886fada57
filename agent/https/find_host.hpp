// SPDX-License-Identifier: BSD-2-Clause
// The addresses of a host, by the system's resolver (/etc/hosts, nsswitch.conf, DNS), within a time that we set.
// getaddrinfo() waits as long as it likes and cannot be stopped; so a thread of its own waits for it, which nobody
// waits for: neither a request whose time is up nor the end of the program.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "agent/base/result.hpp"

namespace nearside::https {

/// So many threads at most; more requests are refused as busy.
inline constexpr int most_searches = 8;

/// In the order of preference (RFC 6724), each once. An address as text is answered at once. Errors: not_found, failing
/// (no answer, or none in time), busy.
[[nodiscard]] boost::asio::awaitable<result<std::vector<boost::asio::ip::address>>> find_host(
    std::string host, std::chrono::milliseconds time);

}  // namespace nearside::https
