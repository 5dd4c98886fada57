// SPDX-License-Identifier: BSD-2-Clause
// A watch of etcd: one request whose answer has no end, a JSON object a line. Coroutines of the caller's executor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "agent/base/result.hpp"
#include "agent/https/tls_stream.hpp"

namespace nearside::backbone {

class etcd_stream {
 public:
  etcd_stream() = default;
  ~etcd_stream();
  etcd_stream(const etcd_stream&) = delete;
  etcd_stream& operator=(const etcd_stream&) = delete;

  /// Connects, sends the request, and reads the header of the answer. Errors: failing, naming the member.
  [[nodiscard]] boost::asio::awaitable<result<void>> open(https::peer member, std::string target, std::string body,
                                                          std::string token, std::chrono::milliseconds time);
  /// The next line, however long it takes to come. Errors: failing: closed, or a line beyond all bounds.
  [[nodiscard]] boost::asio::awaitable<result<std::string>> next();

 private:
  https::peer member_;
  std::shared_ptr<https::tls_stream> stream_;
  boost::beast::flat_buffer unread_;
  std::unique_ptr<boost::beast::http::response_parser<boost::beast::http::string_body>> answer_;
  std::string lines_;
  std::size_t searched_ = 0;  // there is no end of a line before this
};

}  // namespace nearside::backbone
