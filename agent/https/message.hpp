// SPDX-License-Identifier: BSD-2-Clause
// A request as the server hands it to its handler, and the reply. Values; any thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "agent/https/client_certificate.hpp"

namespace nearside::https {

/// The views live as long as the call of the handler.
struct request {
  std::string_view method;  // "POST"
  std::string_view target;  // "/v1/register"
  std::string_view coding;  // of the body: Content-Encoding, mostly empty
  std::string_view body;    // as it came
  const client_certificate& client;
  boost::asio::ip::tcp::endpoint peer;
};

struct reply {
  unsigned status = 200;
  std::string body;  // JSON
};

/// {"error": word, "detail": detail}.
[[nodiscard]] std::string error_body(std::string_view word, std::string_view detail);

}  // namespace nearside::https
