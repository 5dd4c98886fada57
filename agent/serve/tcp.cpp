// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/tcp.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>

#include "agent/serve/framing.hpp"

namespace nearside::serve {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_octets = 4096;
// Answers wait here for the client to take them; beyond this no further query of it is answered, and none read.
constexpr std::size_t output_octets = 65536;
// How long to wait before accepting again when the process has no file descriptor left.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

struct tcp_service::connection {
  connection(tcp::socket accepted, asio::ip::address peer, connection_table::id id)
      : socket(std::move(accepted)), client(std::move(peer)), timer(socket.get_executor()), number(id) {}

  void close() {
    error_code ignored;
    timer.cancel();
    socket.close(ignored);
  }

  tcp::socket socket;
  asio::ip::address client;
  asio::ip::address local;  // which of our addresses it came to
  asio::steady_timer timer;
  clock::time_point deadline;  // moved by the connection's coroutine, enforced by watch()
  connection_table::id number;
  deframer input;
  bool more_waiting = false;  // `input` may hold whole messages that the limits kept from being answered
  std::vector<std::uint8_t> output;
};

tcp_service::tcp_service(asio::any_io_executor executor, answerer& answers, const tcp_limits& limits)
    : executor_(std::move(executor)), answers_(answers), limits_(limits), table_(limits.connections) {}

void tcp_service::set_limits(const tcp_limits& limits) {
  limits_ = limits;
  table_.set_limit(limits.connections);
}

void tcp_service::close() {
  for (auto& [id, peer] : peers_) peer->close();
}

asio::awaitable<void> tcp_service::accept(std::shared_ptr<tcp::acceptor> acceptor) {
  const auto self = shared_from_this();
  asio::steady_timer pause(executor_);
  while (acceptor->is_open()) {
    tcp::endpoint client;
    auto [failed, socket] = co_await acceptor->async_accept(client, as_result);
    if (!acceptor->is_open() || failed == asio::error::operation_aborted) co_return;
    if (failed == asio::error::no_descriptors || failed.value() == ENFILE || failed.value() == ENOBUFS ||
        failed.value() == ENOMEM) {
      spdlog::warn("accept refused error=\"{}\" connections={}", failed.message(), connections());
      pause.expires_after(accept_pause);
      co_await pause.async_wait(as_result);
    } else if (failed == asio::error::bad_descriptor || failed == asio::error::invalid_argument) {
      throw failure(system_error(failed.value(), "accept TCP connections"));
    } else if (!failed) {
      take(std::move(socket), client.address());
    }
    // Anything else is an error of that one connection (accept(2)): it is gone before we saw it.
  }
}

void tcp_service::take(tcp::socket socket, const asio::ip::address& client) {
  const auto place = table_.admit(client);
  if (place.evicted) {
    ++answers_.count.tcp_evicted;
    // Its coroutine sees the closed socket and ends.
    if (const auto found = peers_.find(*place.evicted); found != peers_.end()) found->second->close();
  }
  ++answers_.count.tcp_accepted;
  error_code ignored;
  // Answers are written as soon as they are made: Nagle's algorithm would hold the second of two back.
  socket.set_option(tcp::no_delay(true), ignored);
  const auto peer = std::make_shared<connection>(std::move(socket), client, place.admitted);
  peer->local = peer->socket.local_endpoint(ignored).address();
  peers_.emplace(place.admitted, peer);
  peer->deadline = clock::now() + limits_.idle;
  watch(peer);
  // One connection that ends by an exception (memory) must not take the others with it.
  auto on_end = [self = shared_from_this(), id = place.admitted](const std::exception_ptr& thrown) {
    self->forget(id);
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& why) {
      spdlog::warn("connection dropped error=\"{}\"", why.what());
    }
  };
  asio::co_spawn(executor_, serve(peer), std::move(on_end));
}

void tcp_service::forget(connection_table::id id) {
  table_.remove(id);
  if (const auto found = peers_.find(id); found != peers_.end()) {
    found->second->close();
    peers_.erase(found);
  }
}

// The timer is set once a deadline, not once a message: when it fires early, as the deadline has moved, it is set
// again.
void tcp_service::watch(const std::shared_ptr<connection>& peer) {
  peer->timer.expires_at(peer->deadline);
  auto on_time = [self = shared_from_this(), weak = std::weak_ptr(peer)](const error_code& failed) {
    const auto alive = weak.lock();
    if (failed || !alive || !alive->socket.is_open()) return;
    if (clock::now() < alive->deadline) return self->watch(alive);
    ++self->answers_.count.tcp_timed_out;
    alive->close();
  };
  peer->timer.async_wait(std::move(on_time));
}

bool tcp_service::answer_some(connection& peer) {
  peer.more_waiting = true;
  for (std::size_t answered = 0; answered < limits_.pipeline && peer.output.size() < output_octets; ++answered) {
    const auto step = peer.input.next();
    if (step.what != deframer::outcome::message) {
      peer.more_waiting = false;
      return step.what == deframer::outcome::more;
    }
    ++answers_.count.tcp_received;
    table_.touch(peer.number);
    // Only a whole message moves the deadline: octets that dribble in do not.
    peer.deadline = clock::now() + limits_.idle;
    const auto reply = answers_.answer(step.message, transport::tcp, peer.client, peer.local);
    const bool due = !reply.empty() && append_framed(peer.output, reply);
    ++(due ? answers_.count.tcp_answered : answers_.count.tcp_ignored);
  }
  return true;
}

asio::awaitable<void> tcp_service::serve(std::shared_ptr<connection> peer) {
  const auto self = shared_from_this();
  std::array<std::uint8_t, read_octets> chunk{};
  bool ended = false;
  while (!ended && peer->socket.is_open()) {
    const auto [failed, octets] = co_await peer->socket.async_read_some(asio::buffer(chunk), as_result);
    // End of file may be only the client's half: what it asked before is answered, then we close too (RFC 7766 6.2.4).
    if (failed && failed != asio::error::eof) co_return;
    ended = failed == asio::error::eof;
    peer->input.feed({chunk.data(), octets});
    bool sound = true;
    do {
      sound = answer_some(*peer);
      if (peer->output.empty()) continue;
      // Nothing is read while the client does not take what it asked for: that is the back-pressure.
      peer->deadline = clock::now() + limits_.idle;
      if (const auto [unwritten, sent] =
              co_await asio::async_write(peer->socket, asio::buffer(peer->output), as_result);
          unwritten)
        co_return;
      peer->output.clear();
    } while (sound && peer->more_waiting);
    if (!sound) {
      ++answers_.count.tcp_broken;
      spdlog::debug("connection closed reason=\"length below 12 octets\"");
      co_return;
    }
  }
}

}  // namespace nearside::serve
