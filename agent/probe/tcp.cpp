// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/tcp.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nearside::probe {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

asio::awaitable<std::optional<trouble>> connect(attempt& now, tcp::socket& socket, const config::probe_target& target) {
  const tcp::endpoint server(target.address, target.port);
  boost::system::error_code unopened;
  socket.open(server.protocol(), unopened);
  if (unopened) co_return local_fault(unopened.value(), "socket");
  auto close = [&socket] {
    boost::system::error_code ignored;
    socket.close(ignored);
  };
  now.step("connect", std::move(close));
  const auto [failed] = co_await socket.async_connect(server, as_result);
  if (failed) co_return now.why(failed);
  now.found.connect = now.elapsed();
  // A request is one write: without this it could wait for the acknowledgement of the handshake's last octets.
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  co_return std::nullopt;
}

asio::awaitable<std::optional<trouble>> check_tcp(attempt& now, const config::probe_target& target) {
  tcp::socket socket(now.executor());
  auto wrong = co_await connect(now, socket, target);
  if (!wrong) now.found.first_byte = now.found.connect;
  co_return wrong;
}

}  // namespace nearside::probe
