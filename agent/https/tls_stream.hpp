// SPDX-License-Identifier: BSD-2-Clause
// A connection to a peer that has proved its name, before anything is said on it: for the client, and for what reads a
// stream without end. Coroutines of the caller's executor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/deadline.hpp"
#include "agent/base/result.hpp"
#include "agent/https/tls_context.hpp"

namespace nearside::https {

using tls_stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// Where to connect, and who must be there.
struct peer {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 443;
  std::string server_name;  // a name or an address that the certificate is for; empty: the host
  tls_context tls;
};

/// "b1.example.net:443", "[2001:db8::1]:443".
[[nodiscard]] std::string text_of(const peer& to);

/// All in `time`: finds the host's addresses, tries them one after the other, shakes hands. Errors begin with the peer:
/// "b1.example.net:443: connect: Connection refused", "...: tls: certificate is for another name".
[[nodiscard]] boost::asio::awaitable<result<std::unique_ptr<tls_stream>>> connect(peer to,
                                                                                  std::chrono::milliseconds time);

/// Why a read or a write on such a stream failed, in our words.
[[nodiscard]] std::string reason_of(const boost::system::error_code& failed, const deadline& until);

}  // namespace nearside::https
