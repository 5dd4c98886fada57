// SPDX-License-Identifier: BSD-2-Clause
// Making the sockets that we answer on, and saying clearly why one cannot be had. Used by udp and tcp.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <string>
#include <tuple>

#include "agent/base/result.hpp"

namespace nearside::serve {

/// An address and a port to listen on, by UDP and TCP.
struct listen_point {
  boost::asio::ip::address address;
  std::uint16_t port = 53;  // 0: the kernel chooses one (tests)

  friend bool operator==(const listen_point&, const listen_point&) = default;
  friend bool operator<(const listen_point& a, const listen_point& b) {
    return std::tie(a.address, a.port) < std::tie(b.address, b.port);
  }
};

/// "192.0.2.53:53" or "[2001:db8::53]:53".
[[nodiscard]] std::string to_string(const listen_point& where);

/// A bound non-blocking UDP socket. Errors: busy, the address is in use; not_found, no interface has it; denied, the
/// port. Each message reads `listen 192.0.2.53:53/udp: address in use`.
result<boost::asio::ip::udp::socket> bind_udp(const boost::asio::any_io_executor& executor, const listen_point& where);
/// A listening non-blocking TCP socket; the same errors.
result<boost::asio::ip::tcp::acceptor> listen_tcp(const boost::asio::any_io_executor& executor,
                                                  const listen_point& where);

}  // namespace nearside::serve
