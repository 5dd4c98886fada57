// SPDX-License-Identifier: BSD-2-Clause
// One raw ICMP socket for all echoes of a family: requests out, replies to the coroutines that wait for them.
// Owned by the prober; on its thread. A wait of the socket holds it until close().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "agent/base/result.hpp"
#include "agent/probe/attempt.hpp"
#include "agent/probe/echo_packet.hpp"

namespace nearside::probe {

class echo_socket : public std::enable_shared_from_this<echo_socket> {
 public:
  /// Errors: denied, CAP_NET_RAW is missing; unsupported, no such family here; exhausted.
  [[nodiscard]] static result<std::shared_ptr<echo_socket>> open(const boost::asio::any_io_executor& executor, bool v6);

  /// One request, and the time of its reply as `first_byte`.
  boost::asio::awaitable<std::optional<trouble>> ping(attempt& now, boost::asio::ip::address server);

  void close();

 private:
  struct waiter;

  echo_socket(boost::asio::ip::icmp::socket socket, bool v6);
  void wait();
  void receive();
  void take(const echo_answer& answer, const boost::asio::ip::address& source);
  [[nodiscard]] std::optional<std::uint16_t> free_sequence();

  boost::asio::ip::icmp::socket socket_;
  bool v6_;
  std::uint16_t identifier_;
  std::uint16_t last_sequence_ = 0;
  std::unordered_map<std::uint16_t, waiter*> waiting_;  // by sequence
};

}  // namespace nearside::probe
