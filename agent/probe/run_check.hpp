// SPDX-License-Identifier: BSD-2-Clause
// One check, one coroutine: from a prepared check and a target to a sample.
// Spawned by the prober and by `nearside probe`, which own what is referred to and outlive the coroutine.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "agent/base/result.hpp"
#include "agent/probe/icmp.hpp"
#include "agent/probe/prepared_check.hpp"
#include "agent/score/sample.hpp"

namespace nearside::probe {

/// Runs the check once. Takes at most four times its time-out: each step (connect, handshake, first byte, rest of the
/// body) has it anew; exec has it for all. An error is a fault of this machine, which says nothing about the server.
/// `server` is the server's name, for {server} of a command.
boost::asio::awaitable<result<score::sample>> run_check(boost::asio::any_io_executor executor,
                                                        const prepared_check& check, config::probe_target target,
                                                        std::string server, echo_sockets& echoes);

}  // namespace nearside::probe
