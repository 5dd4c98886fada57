// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/server.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>

#include "agent/base/deadline.hpp"
#include "agent/https/client_certificate.hpp"

namespace nearside::https {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_octets = 4096;
// How long to wait before accepting again when the process has no file descriptor left.
constexpr std::chrono::milliseconds accept_pause{100};
// After a refusal, what the client still sends is read and thrown away for so long: closing over unread octets is a
// reset, which would take the reply from it.
constexpr std::chrono::milliseconds drain_time{1000};
constexpr std::size_t drain_octets = 1u << 18U;
constexpr std::string_view session_context = "nearside-backbone";
// A ticket spares the public-key work; the certificate that was verified for it is in it, and its end is looked at
// again.
constexpr long ticket_seconds = 7200;

std::string reason_of(unsigned long openssl_error) {
  const char* text = ERR_reason_error_string(openssl_error);
  return text != nullptr ? text : "handshake failed";
}

/// What every connection here must have, whatever the maker of the context has set.
result<void> prepare(asio::ssl::context& tls) {
  SSL_CTX* native = tls.native_handle();
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const auto* name = reinterpret_cast<const unsigned char*>(session_context.data());
  // Without a session id context OpenSSL refuses to resume sessions of clients with certificates.
  if (SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_session_id_context(native, name, static_cast<unsigned>(session_context.size())) != 1 ||
      SSL_CTX_set_num_tickets(native, 1) != 1)
    return error{errc::system, "TLS: " + reason_of(ERR_get_error())};
  SSL_CTX_set_timeout(native, ticket_seconds);
  // Tickets hold the state; a cache beside them would grow for nothing.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_clear_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_options(native, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  return {};
}

std::string_view phrase_of(unsigned status) { return http::obsolete_reason(http::int_to_status(status)); }

std::string text_of(const reply& what, bool last) {
  std::string made = "HTTP/1.1 " + std::to_string(what.status) + ' ';
  made += phrase_of(what.status);
  made += "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(what.body.size()) + "\r\n";
  if (last) made += "Connection: close\r\n";
  made += "\r\n";
  return made += what.body;
}

}  // namespace

std::string error_body(std::string_view word, std::string_view detail) {
  return boost::json::serialize(boost::json::object{{"error", word}, {"detail", detail}});
}

struct server::listening {
  explicit listening(tcp::acceptor opened) : acceptor(std::move(opened)), pause(acceptor.get_executor()) {}
  tcp::acceptor acceptor;
  asio::steady_timer pause;
};

struct server::session {
  session(tcp::socket accepted, asio::ssl::context& tls, tcp::endpoint from)
      : stream(std::move(accepted), tls), client(std::move(from)), wait(stream.get_executor()) {
    wait.give_up_by([this] { close(); });
  }
  void close() {
    error_code ignored;
    stream.next_layer().close(ignored);
  }
  [[nodiscard]] bool open() const { return stream.next_layer().is_open(); }

  asio::ssl::stream<tcp::socket> stream;
  tcp::endpoint client;
  deadline wait;
  id number = 0;
  clock::time_point begun = clock::now();
  std::list<session*>::iterator shaking;
  bool shakes_hands = false;
  client_certificate certificate;
  boost::beast::flat_buffer input;
};

enum class server::ending : std::uint8_t {
  next,   ///< another request may come
  last,   ///< the reply said that the connection ends
  drain,  ///< the same, and more of the request may be under way
  gone,   ///< nothing can be sent any more
};

server::server(asio::any_io_executor executor, std::shared_ptr<asio::ssl::context> tls, const server_limits& limits,
               handler answer)
    : executor_(std::move(executor)),
      tls_(std::move(tls)),
      limits_(limits),
      answer_(std::move(answer)),
      table_(limits.connections) {}

result<std::shared_ptr<server>> server::make(asio::any_io_executor executor, std::shared_ptr<asio::ssl::context> tls,
                                             const server_limits& limits, handler answer) {
  if (auto done = prepare(*tls); !done) return done.error();
  return std::shared_ptr<server>(new server(std::move(executor), std::move(tls), limits, std::move(answer)));
}

void server::listen(tcp::acceptor acceptor) {
  const auto at = std::make_shared<listening>(std::move(acceptor));
  listening_.push_back(at);
  auto on_end = [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(executor_, accept(at), std::move(on_end));
}

result<void> server::set_context(std::shared_ptr<asio::ssl::context> tls) {
  if (auto done = prepare(*tls); !done) return done;
  tls_ = std::move(tls);
  for (auto& [number, peer] : sessions_) peer->close();
  return {};
}

void server::set_limits(const server_limits& limits) {
  limits_ = limits;
  table_.set_limit(limits.connections);
}

void server::close() {
  error_code ignored;
  for (const auto& at : listening_) {
    at->acceptor.close(ignored);
    at->pause.cancel();
  }
  listening_.clear();
  for (auto& [number, peer] : sessions_) peer->close();
}

// ---- connections ----

asio::awaitable<void> server::wait_for_handshakes(listening& at) {
  while (at.acceptor.is_open() && shaking_.size() >= limits_.handshakes) {
    session& oldest = *shaking_.front();
    const auto until = oldest.begun + limits_.handshake_in_the_way;
    if (clock::now() >= until) {
      ++count_.timed_out;
      say(handshake_lines_, oldest, "handshake refused", "too slow while others wait");
      leave_handshake(oldest);
      oldest.close();
      continue;
    }
    // Woken up early by leave_handshake().
    at.pause.expires_at(until);
    co_await at.pause.async_wait(as_result);
  }
}

asio::awaitable<void> server::accept(std::shared_ptr<listening> at) {
  const auto self = shared_from_this();
  while (at->acceptor.is_open()) {
    co_await wait_for_handshakes(*at);
    if (!at->acceptor.is_open()) co_return;
    tcp::endpoint client;
    auto [failed, socket] = co_await at->acceptor.async_accept(client, as_result);
    if (!at->acceptor.is_open() || failed == asio::error::operation_aborted) co_return;
    if (failed == asio::error::no_descriptors || failed.value() == ENFILE || failed.value() == ENOBUFS ||
        failed.value() == ENOMEM) {
      spdlog::warn("https accept refused error=\"{}\" connections={}", failed.message(), connections());
      at->pause.expires_after(accept_pause);
      co_await at->pause.async_wait(as_result);
    } else if (failed == asio::error::bad_descriptor || failed == asio::error::invalid_argument) {
      throw failure(system_error(failed.value(), "accept HTTPS connections"));
    } else if (!failed) {
      take(std::move(socket), client);
    }
    // Anything else is an error of that one connection (accept(2)): it is gone before we saw it.
  }
}

void server::take(tcp::socket socket, const tcp::endpoint& client) {
  ++count_.accepted;
  const auto one = connection_table::client_of(client.address());
  const auto of_client = std::ranges::count_if(
      shaking_, [&](const session* peer) { return connection_table::client_of(peer->client.address()) == one; });
  if (static_cast<std::size_t>(of_client) >= std::max<std::size_t>(limits_.handshakes / 2, 1)) {
    ++count_.crowded;
    return;
  }
  const auto place = table_.admit(client.address());
  if (place.evicted) {
    ++count_.evicted;
    // Its coroutine sees the closed socket and ends.
    if (const auto found = sessions_.find(*place.evicted); found != sessions_.end()) found->second->close();
  }
  error_code ignored;
  // A reply is one write: Nagle's algorithm would hold it back behind the ticket.
  socket.set_option(tcp::no_delay(true), ignored);
  const auto peer = std::make_shared<session>(std::move(socket), *tls_, client);
  peer->number = place.admitted;
  sessions_.emplace(place.admitted, peer);
  peer->shaking = shaking_.insert(shaking_.end(), peer.get());
  peer->shakes_hands = true;
  // One connection that ends by an exception (memory) must not take the others with it.
  auto on_end = [self = shared_from_this(), peer](const std::exception_ptr& thrown) {
    self->leave_handshake(*peer);
    self->forget(peer->number);
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& why) {
      spdlog::warn("https connection dropped error=\"{}\"", why.what());
    }
  };
  asio::co_spawn(executor_, serve(peer), std::move(on_end));
}

void server::forget(id which) {
  table_.remove(which);
  if (const auto found = sessions_.find(which); found != sessions_.end()) {
    found->second->close();
    sessions_.erase(found);
  }
}

void server::leave_handshake(session& peer) {
  if (!peer.shakes_hands) return;
  peer.shakes_hands = false;
  shaking_.erase(peer.shaking);
  for (const auto& at : listening_) at->pause.cancel();
}

void server::say(log_limit& limit, const session& peer, std::string_view what, std::string_view why) {
  if (const auto untold = limit.tell(clock::now()))
    spdlog::warn("{} peer={} reason=\"{}\" untold={}", what, peer.client.address().to_string(), why, *untold);
}

// ---- one connection ----

void server::refused_handshake(const session& peer, unsigned long openssl_error) {
  std::string why = reason_of(openssl_error);
  const int reason = ERR_GET_REASON(openssl_error);
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    ++count_.no_certificate;
    why = "no client certificate";
  } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    ++count_.bad_certificate;
    const long verified = SSL_get_verify_result(const_cast<session&>(peer).stream.native_handle());
    why = std::string("client certificate: ") + X509_verify_cert_error_string(verified);
  } else {
    ++count_.failed_handshake;
  }
  say(handshake_lines_, peer, "handshake refused", why);
}

asio::awaitable<bool> server::shake_hands(session& peer) {
  peer.wait.within(limits_.handshake);
  const auto [failed] = co_await peer.stream.async_handshake(asio::ssl::stream_base::server, as_result);
  const bool in_place = peer.shakes_hands;  // else it was in the way, and has been counted
  leave_handshake(peer);
  if (peer.wait.expired()) {
    ++count_.timed_out;
    say(handshake_lines_, peer, "handshake refused", "timed out");
    co_return false;
  }
  if (failed) {
    if (!in_place || !peer.open()) co_return false;
    if (failed.category() == asio::error::get_ssl_category()) {
      refused_handshake(peer, static_cast<unsigned long>(failed.value()));
      co_await drain(peer, false);
    } else {
      ++count_.failed_handshake;  // gone: no line, port scanners do it all day
    }
    co_return false;
  }
  SSL* tls = peer.stream.native_handle();
  auto shown = certificate_of(tls);
  // A resumed session brings the certificate of its first handshake, whose time may be over.
  if (!shown || SSL_get_verify_result(tls) != X509_V_OK || shown->not_after <= std::chrono::system_clock::now()) {
    ++count_.bad_certificate;
    say(handshake_lines_, peer, "handshake refused", "client certificate: expired");
    co_return false;
  }
  peer.certificate = std::move(*shown);
  ++count_.handshakes;
  if (SSL_session_reused(tls) == 1) ++count_.resumed;
  co_return true;
}

asio::awaitable<void> server::drain(session& peer, bool encrypted) {
  peer.wait.within(drain_time);
  error_code ignored;
  peer.stream.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
  std::array<char, read_octets> octets;  // NOLINT(*-member-init): filled by each read
  for (std::size_t read = 0; read < drain_octets;) {
    const auto [failed, got] = encrypted
                                   ? co_await peer.stream.async_read_some(asio::buffer(octets), as_result)
                                   : co_await peer.stream.next_layer().async_read_some(asio::buffer(octets), as_result);
    if (failed) co_return;
    read += got;
  }
}

asio::awaitable<bool> server::write(session& peer, const reply& what, bool last) {
  peer.wait.within(limits_.write);
  const std::string octets = text_of(what, last);
  const auto [failed, sent] = co_await asio::async_write(peer.stream, asio::buffer(octets), as_result);
  if (failed && peer.wait.expired()) ++count_.timed_out;
  co_return !failed;
}

asio::awaitable<server::ending> server::serve_request(session& peer) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_octets));
  parser.body_limit(limits_.body_octets);
  parser.eager(true);

  bool begun = peer.input.size() > 0;
  bool continued = false;
  peer.wait.within(begun ? limits_.read : limits_.idle);
  error_code wrong;
  while (!parser.is_done()) {
    if (peer.input.size() > 0) {
      const auto used = parser.put(peer.input.data(), wrong);
      peer.input.consume(used);
      if (wrong == http::error::need_more) wrong = {};
      if (wrong || parser.is_done()) break;
      if (used > 0 && peer.input.size() > 0) continue;
    }
    // RFC 9110 10.1.1: who waits for our leave gets it once the header is good.
    if (parser.is_header_done() && !continued &&
        boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      continued = true;
      constexpr std::string_view leave = "HTTP/1.1 100 Continue\r\n\r\n";
      if (const auto [unsent, sent] = co_await asio::async_write(peer.stream, asio::buffer(leave), as_result); unsent)
        co_return ending::gone;
    }
    const auto [failed, got] = co_await peer.stream.async_read_some(peer.input.prepare(read_octets), as_result);
    if (failed) {
      if (begun && peer.wait.expired()) {
        ++count_.timed_out;
        say(request_lines_, peer, "request refused", "timed out");
      }
      co_return ending::gone;
    }
    peer.input.commit(got);
    if (!begun) peer.wait.within(limits_.read);  // once: octets that dribble in do not move it
    begun = true;
  }
  if (wrong) {
    const bool header = wrong == http::error::header_limit;
    const bool large = header || wrong == http::error::body_limit;
    ++(large ? count_.too_large : count_.malformed);
    say(request_lines_, peer, large ? "request refused word=too_large" : "request refused word=malformed",
        wrong.message());
    const reply refusal{header  ? 431U
                        : large ? 413U
                                : 400U,
                        error_body(large ? "too_large" : "malformed", wrong.message())};
    co_return co_await write(peer, refusal, true) ? ending::drain : ending::gone;
  }
  ++count_.requests;
  table_.touch(peer.number);

  const auto& message = parser.get();
  // The certificate's time may end while the connection lives.
  if (peer.certificate.not_after <= std::chrono::system_clock::now()) {
    ++count_.bad_certificate;
    say(handshake_lines_, peer, "request refused", "client certificate: expired");
    co_return ending::gone;
  }
  const auto coding = message[http::field::content_encoding];
  const auto made = answer_({.method = {message.method_string().data(), message.method_string().size()},
                             .target = {message.target().data(), message.target().size()},
                             .coding = {coding.data(), coding.size()},
                             .body = message.body(),
                             .client = peer.certificate,
                             .peer = peer.client});
  const bool last = !message.keep_alive();
  if (!co_await write(peer, made, last)) co_return ending::gone;
  co_return last ? ending::last : ending::next;
}

asio::awaitable<void> server::serve(std::shared_ptr<session> peer) {
  const auto self = shared_from_this();
  if (!co_await shake_hands(*peer)) co_return;
  auto end = ending::next;
  while (end == ending::next && peer->open()) end = co_await serve_request(*peer);
  if (end == ending::drain) co_await drain(*peer, true);
  if (end != ending::last) co_return;
  // close_notify, and the peer's: a reset would take the reply from a client that is still reading.
  peer->wait.within(drain_time);
  co_await peer->stream.async_shutdown(as_result);
}

}  // namespace nearside::https
