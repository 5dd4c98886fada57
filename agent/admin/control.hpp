// SPDX-License-Identifier: BSD-2-Clause
// The control socket: a Unix stream socket that takes one JSON object a line and gives one JSON object a line.
// Who may open it is decided by its mode, 0660. Owned by the daemon; its coroutines run on the serving thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"

namespace nearside::admin {

class control_server : public std::enable_shared_from_this<control_server> {
 public:
  /// Answers one request; its error becomes {"error": message, "kind": name}.
  using handler = std::function<result<boost::json::object>(const boost::json::object& request)>;

  /// Makes the socket and answers on it. One left behind by an earlier agent is replaced, so the caller must hold
  /// the lock that says that there is no other agent. Errors: the path is too long, is something else than a socket, or
  /// cannot be made.
  static result<std::shared_ptr<control_server>> open(const boost::asio::any_io_executor& executor,
                                                      const std::filesystem::path& path, handler answer);
  /// Removes the socket and takes no more connections.
  void close();

  /// The reply line, without its end, to a request line: parses, asks the handler, prints. Pure but for the handler.
  [[nodiscard]] static std::string reply_to(std::string_view line, const handler& answer);

 private:
  control_server(boost::asio::local::stream_protocol::acceptor acceptor, std::filesystem::path path, handler answer);
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(boost::asio::local::stream_protocol::socket accepted);

  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::filesystem::path path_;
  handler answer_;
  int connections_ = 0;
};

}  // namespace nearside::admin
