// SPDX-License-Identifier: BSD-2-Clause
// The check `icmp`: an echo request (ping). The sockets of both families are opened when first used.
// Owned by the prober; on its thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>

#include "agent/config/measuring.hpp"
#include "agent/probe/attempt.hpp"
#include "agent/probe/echo_socket.hpp"

namespace nearside::probe {

class echo_sockets {
 public:
  explicit echo_sockets(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  /// A family whose socket could not be opened is tried again: the right may have come since.
  [[nodiscard]] result<std::shared_ptr<echo_socket>> of_family(bool v6);
  void close();

 private:
  boost::asio::any_io_executor executor_;
  std::shared_ptr<echo_socket> families_[2];
};

boost::asio::awaitable<std::optional<trouble>> check_icmp(attempt& now, echo_sockets& sockets,
                                                          const config::probe_target& target);

}  // namespace nearside::probe
