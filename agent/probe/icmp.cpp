// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/icmp.hpp"

namespace nearside::probe {
namespace asio = boost::asio;

result<std::shared_ptr<echo_socket>> echo_sockets::of_family(bool v6) {
  auto& socket = families_[v6 ? 1 : 0];
  if (!socket) {
    auto opened = echo_socket::open(executor_, v6);
    if (!opened) return opened.error();
    socket = std::move(*opened);
  }
  return socket;
}

void echo_sockets::close() {
  for (auto& socket : families_) {
    if (socket) socket->close();
    socket.reset();
  }
}

asio::awaitable<std::optional<trouble>> check_icmp(attempt& now, echo_sockets& sockets,
                                                   const config::probe_target& target) {
  const auto socket = sockets.of_family(target.address.is_v6());
  if (!socket) co_return trouble{cause::local, "icmp: " + socket.error().message, socket.error().kind};
  co_return co_await (*socket)->ping(now, target.address);
}

}  // namespace nearside::probe
