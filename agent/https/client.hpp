// SPDX-License-Identifier: BSD-2-Clause
// An HTTP/1.1 client (RFC 9112) of one server over TLS: one connection, kept open between requests and opened anew
// where the server has closed it. One request at a time; coroutines of the executor that the caller runs on.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/https/tls_stream.hpp"

namespace nearside::https {

using headers = std::vector<std::pair<std::string, std::string>>;

struct client_settings {
  peer server;
  std::chrono::milliseconds connect_timeout{5000};  // to the end of the TLS handshake
  std::chrono::milliseconds timeout{5000};          // from the request to the end of its answer
  std::size_t most_response = 65536;                // octets of an answer's body
};

struct response {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

class client {
 public:
  explicit client(client_settings settings) : settings_(std::move(settings)) {}

  /// POST. `fields` beside Host, Content-Length and Content-Type: application/json (which it can replace). A request
  /// that meets a connection just closed by the server is sent once more on a new one, so it must bear to arrive twice.
  /// Errors, each naming the server: failing (no connection, no answer in time, no HTTP), exhausted (an answer larger
  /// than allowed), busy (a request is under way). After an error the connection is closed.
  [[nodiscard]] boost::asio::awaitable<result<response>> request(std::string target, std::string body,
                                                                 headers fields = {});

  /// Ends the connection; a request under way fails.
  void close();
  [[nodiscard]] bool connected() const noexcept { return stream_ != nullptr; }
  [[nodiscard]] const client_settings& settings() const noexcept { return settings_; }

 private:
  struct failed_exchange {
    error why;
    bool may_repeat = false;  // the server closed before it said anything
  };
  struct sent_request;

  [[nodiscard]] boost::asio::awaitable<boost::system::result<response, failed_exchange>> exchange(
      std::shared_ptr<const sent_request> request);
  /// Whether a kept connection is still good: nothing has come on it, not even its end.
  [[nodiscard]] bool is_quiet() const;

  [[nodiscard]] boost::asio::awaitable<result<void>> open();

  client_settings settings_;
  boost::asio::cancellation_signal give_up_connecting_;
  std::shared_ptr<tls_stream> stream_;  // shared with the request under way
  boost::beast::flat_buffer unread_;
  bool under_way_ = false;
};

}  // namespace nearside::https
