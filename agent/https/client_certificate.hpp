// SPDX-License-Identifier: BSD-2-Clause
// Whom a client's certificate is for. Pure functions over OpenSSL's objects.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace nearside::https {

struct client_certificate {
  std::vector<std::string> names;                   // dNSName, in lower case with the final dot
  std::vector<boost::asio::ip::address> addresses;  // iPAddress
  std::chrono::system_clock::time_point not_after;
};

/// The subject alternative names (RFC 5280 4.2.1.6) of the certificate that the peer of this connection has shown, and
/// that the handshake, or the one whose session it resumed, has verified. Names that are not printable ASCII, or longer
/// than a domain name, are left out. Nothing: there is none, or its time cannot be read.
[[nodiscard]] std::optional<client_certificate> certificate_of(const SSL* connection);

}  // namespace nearside::https
