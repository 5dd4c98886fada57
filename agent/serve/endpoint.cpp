// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/endpoint.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>

namespace nearside::serve {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr int tcp_backlog = 1024;
// A burst that arrives while a reload publishes waits here; the kernel takes as much of it as net.core.rmem_max allows.
constexpr int udp_receive_octets = 4 << 20;

error refused(const listen_point& where, const char* transport, const error_code& code) {
  const std::string doing = "listen " + to_string(where) + "/" + transport;
  if (code == asio::error::address_in_use) return {errc::busy, doing + ": address in use"};
  if (code.value() == EADDRNOTAVAIL) return {errc::not_found, doing + ": no interface has this address"};
  if (code == asio::error::access_denied)
    return {errc::denied, doing + ": permission denied (a port below 1024 needs root or CAP_NET_BIND_SERVICE)"};
  return system_error(code.value(), doing);
}

}  // namespace

std::string to_string(const listen_point& where) {
  const std::string address = where.address.to_string();
  return (where.address.is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(where.port);
}

result<udp::socket> bind_udp(const asio::any_io_executor& executor, const listen_point& where) {
  const udp::endpoint endpoint(where.address, where.port);
  udp::socket socket(executor);
  error_code code;
  if (socket.open(endpoint.protocol(), code); code) return refused(where, "udp", code);
  if (where.address.is_v6())
    if (socket.set_option(asio::ip::v6_only(true), code); code) return refused(where, "udp", code);
  if (socket.bind(endpoint, code); code) return refused(where, "udp", code);
  if (socket.non_blocking(true, code); code) return refused(where, "udp", code);

  // What follows makes a good socket better; without it we serve all the same, so a refusal is no error.
  socket.set_option(asio::socket_base::receive_buffer_size(udp_receive_octets), code);
  // RFC 9715 3.1: replies are small enough for any path. Never believe an ICMP message that says otherwise: it may be
  // forged to make us send fragments.
  const int four = IP_PMTUDISC_OMIT;
  const int six = IPV6_PMTUDISC_OMIT;
  if (where.address.is_v4())
    static_cast<void>(::setsockopt(socket.native_handle(), IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof four));
  else
    static_cast<void>(::setsockopt(socket.native_handle(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof six));
  return socket;
}

result<tcp::acceptor> listen_tcp(const asio::any_io_executor& executor, const listen_point& where) {
  const tcp::endpoint endpoint(where.address, where.port);
  tcp::acceptor acceptor(executor);
  error_code code;
  if (acceptor.open(endpoint.protocol(), code); code) return refused(where, "tcp", code);
  if (where.address.is_v6())
    if (acceptor.set_option(asio::ip::v6_only(true), code); code) return refused(where, "tcp", code);
  // Connections of the agent before us may still be in TIME_WAIT.
  if (acceptor.set_option(asio::socket_base::reuse_address(true), code); code) return refused(where, "tcp", code);
  if (acceptor.bind(endpoint, code); code) return refused(where, "tcp", code);
  if (acceptor.listen(tcp_backlog, code); code) return refused(where, "tcp", code);
  if (acceptor.non_blocking(true, code); code) return refused(where, "tcp", code);
  return acceptor;
}

}  // namespace nearside::serve
