// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/listeners.hpp"

#include <boost/asio/co_spawn.hpp>

namespace nearside::serve {
namespace asio = boost::asio;

listeners::listeners(asio::any_io_executor executor, answerer& answers, const tcp_limits& limits,
                     failure_handler on_failure)
    : executor_(std::move(executor)),
      answers_(answers),
      connections_(std::make_shared<tcp_service>(executor_, answers, limits)),
      on_failure_(std::move(on_failure)) {}

result<listen_point> listeners::open(const listen_point& where) {
  auto datagrams = bind_udp(executor_, where);
  if (!datagrams) return datagrams.error();
  listen_point bound = where;
  bound.port = datagrams->local_endpoint().port();
  auto streams = listen_tcp(executor_, bound);
  if (!streams) return streams.error();

  pair sockets{std::make_shared<udp_socket>(std::move(*datagrams), answers_),
               std::make_shared<asio::ip::tcp::acceptor>(std::move(*streams))};
  auto on_end = [report = on_failure_](const std::exception_ptr& thrown) {
    if (thrown) report(thrown);
  };
  asio::co_spawn(executor_, sockets.datagrams->run(), on_end);
  asio::co_spawn(executor_, connections_->accept(sockets.streams), on_end);
  open_.emplace(bound, std::move(sockets));
  return bound;
}

void listeners::close(pair& sockets) {
  boost::system::error_code ignored;
  sockets.datagrams->close();
  sockets.streams->close(ignored);
}

void listeners::close(const listen_point& where) {
  if (const auto found = open_.find(where); found != open_.end()) {
    close(found->second);
    open_.erase(found);
  }
}

void listeners::close_all() {
  for (auto& [where, sockets] : open_) close(sockets);
  open_.clear();
  connections_->close();
}

std::vector<listen_point> listeners::points() const {
  std::vector<listen_point> all;
  for (const auto& [where, sockets] : open_) all.push_back(where);
  return all;
}

}  // namespace nearside::serve
