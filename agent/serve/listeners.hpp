// SPDX-License-Identifier: BSD-2-Clause
// The set of addresses that the agent answers on, each with its UDP and its TCP socket. Owned by the daemon, which adds
// and removes addresses at a reload; used on the serving thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "agent/serve/endpoint.hpp"
#include "agent/serve/tcp.hpp"
#include "agent/serve/udp.hpp"

namespace nearside::serve {

class listeners {
 public:
  /// Called when a loop that must not end has thrown.
  using failure_handler = std::function<void(std::exception_ptr)>;

  /// `answers` must outlive the coroutines, that is, the io_context.
  listeners(boost::asio::any_io_executor executor, answerer& answers, const tcp_limits& limits,
            failure_handler on_failure);

  /// Binds both sockets and answers on them. Nothing is open after an error. A port of 0 becomes the one chosen, for
  /// both.
  result<listen_point> open(const listen_point& where);
  /// Answers what waits by UDP, then closes both sockets; TCP connections accepted before go on.
  void close(const listen_point& where);
  /// Closes all sockets and connections.
  void close_all();
  [[nodiscard]] bool has(const listen_point& where) const { return open_.contains(where); }
  [[nodiscard]] std::vector<listen_point> points() const;
  void set_limits(const tcp_limits& limits) { connections_->set_limits(limits); }
  [[nodiscard]] std::size_t connections() const noexcept { return connections_->connections(); }

 private:
  struct pair {
    std::shared_ptr<udp_socket> datagrams;
    std::shared_ptr<boost::asio::ip::tcp::acceptor> streams;
  };
  static void close(pair& sockets);

  boost::asio::any_io_executor executor_;
  answerer& answers_;
  std::shared_ptr<tcp_service> connections_;
  failure_handler on_failure_;
  std::map<listen_point, pair> open_;
};

}  // namespace nearside::serve
