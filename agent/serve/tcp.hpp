// SPDX-License-Identifier: BSD-2-Clause
// Answers by TCP (RFC 7766): pipelined queries in their order, slow clients, bounds on connections, time and memory.
// Owned by the daemon; its coroutines run on the serving thread and hold what they use.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <unordered_map>

#include "agent/base/connection_table.hpp"
#include "agent/serve/answerer.hpp"

namespace nearside::serve {

struct tcp_limits {
  std::size_t connections = 1000;
  std::chrono::milliseconds idle =
      std::chrono::seconds(10);  // for a whole message to come, and for our output to be taken
  std::size_t pipeline = 32;     // queries answered before their answers are written
};

/// The connections of all listening addresses together.
class tcp_service : public std::enable_shared_from_this<tcp_service> {
 public:
  /// `answers` must outlive the coroutines.
  tcp_service(boost::asio::any_io_executor executor, answerer& answers, const tcp_limits& limits);

  /// Accepts until the acceptor is closed, and serves each connection by a coroutine of its own. Throws when the
  /// acceptor fails for good.
  boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor);
  /// For connections accepted, and messages waited for, from now on.
  void set_limits(const tcp_limits& limits);
  /// Closes all connections.
  void close();
  [[nodiscard]] std::size_t connections() const noexcept { return table_.size(); }

 private:
  struct connection;

  void take(boost::asio::ip::tcp::socket socket, const boost::asio::ip::address& client);
  boost::asio::awaitable<void> serve(std::shared_ptr<connection> peer);
  /// Answers the whole messages that are there, as many as the pipeline's limit; false: the stream is broken.
  bool answer_some(connection& peer);
  void watch(const std::shared_ptr<connection>& peer);
  void forget(connection_table::id id);

  boost::asio::any_io_executor executor_;
  answerer& answers_;
  tcp_limits limits_;
  connection_table table_;
  std::unordered_map<connection_table::id, std::shared_ptr<connection>> peers_;
};

}  // namespace nearside::serve
