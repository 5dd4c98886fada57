// SPDX-License-Identifier: BSD-2-Clause
// Answers by UDP on one address. One socket an address, so that a reply leaves from the address that was asked.
// Owned by `listeners`; runs as a coroutine on the serving thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <memory>

#include "agent/serve/answerer.hpp"

namespace nearside::serve {

class udp_socket : public std::enable_shared_from_this<udp_socket> {
 public:
  /// `answers` must outlive the coroutine.
  udp_socket(boost::asio::ip::udp::socket bound, answerer& answers);
  ~udp_socket();
  udp_socket(const udp_socket&) = delete;
  udp_socket& operator=(const udp_socket&) = delete;

  /// Receives and answers until close(). Keeps itself alive while it runs. Throws when the socket fails for good.
  boost::asio::awaitable<void> run();
  /// Answers what the socket holds already, then closes it; run() returns.
  void close();
  [[nodiscard]] boost::asio::ip::udp::endpoint local() const { return local_; }

 private:
  struct batch;  // buffers for one recvmmsg and one sendmmsg

  /// Receives, answers and sends up to one batch; false: nothing was waiting.
  bool serve_batch();
  [[nodiscard]] bool may_be_answered(const boost::asio::ip::udp::endpoint& client) const;

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint local_;
  answerer& answers_;
  std::unique_ptr<batch> batch_;
};

}  // namespace nearside::serve
