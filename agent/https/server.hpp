// SPDX-License-Identifier: BSD-2-Clause
// HTTP/1.1 over TLS 1.3 for clients that show a certificate: bounds on connections, handshakes, sizes and waits; one
// coroutine a connection. Owned by the backbone; its coroutines run on the owner's thread and hold what they use.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/connection_table.hpp"
#include "agent/base/log_limit.hpp"
#include "agent/base/result.hpp"
#include "agent/https/message.hpp"

namespace nearside::https {

struct server_limits {
  std::size_t connections = 4096;  // beyond it the longest idle goes; a quarter of them for one client address
  std::size_t handshakes = 64;     // at once; half of them for one client address. Others wait in the kernel's backlog
  std::size_t header_octets = 8192;
  std::size_t body_octets = 65536;
  std::chrono::milliseconds handshake = std::chrono::seconds(5);
  std::chrono::milliseconds handshake_in_the_way = std::chrono::seconds(1);  // when others wait for its place
  std::chrono::milliseconds idle = std::chrono::seconds(120);                // between two requests
  std::chrono::milliseconds read = std::chrono::seconds(10);                 // a whole request
  std::chrono::milliseconds write = std::chrono::seconds(10);                // a whole reply
};

/// Connections by what became of them, and requests.
struct server_counters {
  std::uint64_t accepted = 0;
  std::uint64_t evicted = 0;           ///< to make room for a newer one
  std::uint64_t handshakes = 0;        ///< that went through
  std::uint64_t resumed = 0;           ///< of these, with a session ticket
  std::uint64_t no_certificate = 0;    ///< refused: the client showed none
  std::uint64_t bad_certificate = 0;   ///< refused: of another CA, expired, not for clients
  std::uint64_t failed_handshake = 0;  ///< anything else: another protocol, gone
  std::uint64_t crowded = 0;           ///< closed: its client address has half of all handshakes
  std::uint64_t timed_out = 0;         ///< a handshake, a request or a reply took too long
  std::uint64_t requests = 0;          ///< whole ones, whatever they were answered
  std::uint64_t malformed = 0;         ///< no HTTP
  std::uint64_t too_large = 0;         ///< a header or a body beyond its bound
};

class server : public std::enable_shared_from_this<server> {
 public:
  /// Called on the server's thread with one request after the other; must not throw for what a client can send.
  using handler = std::function<reply(const request&)>;

  /// `tls` has the certificate, the key and the CA of the clients; TLS 1.3, the client's certificate and tickets are
  /// seen to here. Errors: OpenSSL refuses that.
  [[nodiscard]] static result<std::shared_ptr<server>> make(boost::asio::any_io_executor executor,
                                                            std::shared_ptr<boost::asio::ssl::context> tls,
                                                            const server_limits& limits, handler answer);

  /// Accepts there from now on.
  void listen(boost::asio::ip::tcp::acceptor acceptor);
  /// Other files: for all connections from now on. Those that are there are closed, so that nobody whom the new CA does
  /// not know stays; the clients come again. Errors: as of make(); then all stays as it was.
  result<void> set_context(std::shared_ptr<boost::asio::ssl::context> tls);
  /// For what begins from now on.
  void set_limits(const server_limits& limits);
  /// Closes all connections and accepts no more.
  void close();

  [[nodiscard]] const server_counters& count() const noexcept { return count_; }
  [[nodiscard]] std::size_t connections() const noexcept { return sessions_.size(); }

 private:
  struct session;
  struct listening;
  enum class ending : std::uint8_t;
  using id = connection_table::id;

  server(boost::asio::any_io_executor executor, std::shared_ptr<boost::asio::ssl::context> tls,
         const server_limits& limits, handler answer);

  boost::asio::awaitable<void> accept(std::shared_ptr<listening> at);
  boost::asio::awaitable<void> wait_for_handshakes(listening& at);
  void take(boost::asio::ip::tcp::socket socket, const boost::asio::ip::tcp::endpoint& client);
  void forget(id which);
  void leave_handshake(session& peer);

  boost::asio::awaitable<void> serve(std::shared_ptr<session> peer);
  boost::asio::awaitable<bool> shake_hands(session& peer);
  boost::asio::awaitable<ending> serve_request(session& peer);
  boost::asio::awaitable<bool> write(session& peer, const reply& what, bool last);
  boost::asio::awaitable<void> drain(session& peer, bool encrypted);
  void refused_handshake(const session& peer, unsigned long openssl_error);
  void say(log_limit& limit, const session& peer, std::string_view what, std::string_view why);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
  server_limits limits_;
  handler answer_;
  connection_table table_;
  std::unordered_map<id, std::shared_ptr<session>> sessions_;
  std::list<session*> shaking_;  // handshakes under way, the oldest first
  std::vector<std::shared_ptr<listening>> listening_;
  server_counters count_;
  log_limit handshake_lines_;
  log_limit request_lines_;
};

}  // namespace nearside::https
