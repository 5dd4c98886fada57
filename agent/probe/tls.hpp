// SPDX-License-Identifier: BSD-2-Clause
// The check `tls`: a handshake with a certificate that is good, for the right name, and in its time. https begins with
// the same. Coroutines of the prober's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <optional>

#include "agent/probe/attempt.hpp"
#include "agent/probe/prepared_check.hpp"

namespace nearside::probe {

using tls_stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// Connects, shakes hands, and judges the certificate; `certificate_days` is set whatever the judgement. The time-outs
/// of this and all later steps close the socket below `stream`, which must live until the check ends.
boost::asio::awaitable<std::optional<trouble>> connect_tls(attempt& now, tls_stream& stream,
                                                           const prepared_check& check,
                                                           const config::probe_target& target);

boost::asio::awaitable<std::optional<trouble>> check_tls(attempt& now, const prepared_check& check,
                                                         const config::probe_target& target);

}  // namespace nearside::probe
