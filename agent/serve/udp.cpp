// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/udp.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <vector>

namespace nearside::serve {
namespace asio = boost::asio;
using asio::ip::udp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t batch_size = 32;
constexpr std::size_t longest_query = 65535;
// When the socket is closed, at most this many batches are answered before: a flood must not hold up the stop.
constexpr int last_batches = 64;

}  // namespace

struct udp_socket::batch {
  batch() : queries(batch_size * longest_query) {
    for (std::size_t i = 0; i < batch_size; ++i) {
      places[i] = {&queries[i * longest_query], longest_query};
      auto& header = received[i].msg_hdr;
      header.msg_iov = &places[i];
      header.msg_iovlen = 1;
    }
  }
  /// The kernel writes the length of the address that it filled in over the room for it: before each call it is set
  /// anew.
  void offer_addresses() {
    for (std::size_t i = 0; i < batch_size; ++i) {
      received[i].msg_hdr.msg_name = clients[i].data();
      received[i].msg_hdr.msg_namelen = static_cast<socklen_t>(clients[i].capacity());
    }
  }

  std::vector<std::uint8_t> queries;  // only touched pages cost memory
  std::array<udp::endpoint, batch_size> clients;
  std::array<iovec, batch_size> places{};
  std::array<mmsghdr, batch_size> received{};

  std::array<std::vector<std::uint8_t>, batch_size> replies;
  std::array<iovec, batch_size> reply_places{};
  std::array<mmsghdr, batch_size> sent{};
};

udp_socket::udp_socket(udp::socket bound, answerer& answers)
    : socket_(std::move(bound)),
      local_(socket_.local_endpoint()),
      answers_(answers),
      batch_(std::make_unique<batch>()) {}

udp_socket::~udp_socket() = default;

asio::awaitable<void> udp_socket::run() {
  const auto self = shared_from_this();
  while (socket_.is_open()) {
    if (const auto [failed] = co_await socket_.async_wait(udp::socket::wait_read, as_result); failed) {
      if (failed == asio::error::operation_aborted) co_return;
      throw failure(system_error(failed.value(), "wait for queries by UDP"));
    }
    // One batch, then back to the loop, where TCP and the timers have their turn.
    if (socket_.is_open()) serve_batch();
  }
}

void udp_socket::close() {
  if (!socket_.is_open()) return;
  for (int i = 0; i < last_batches && serve_batch(); ++i) {
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

bool udp_socket::may_be_answered(const udp::endpoint& client) const {
  // Nobody can receive on port 0. A datagram that claims to come from us is forged, and our reply would be a query to
  // us.
  return client.port() != 0 && client != local_;
}

bool udp_socket::serve_batch() {
  auto& b = *batch_;
  auto& count = answers_.count;
  b.offer_addresses();
  const int received = ::recvmmsg(socket_.native_handle(), b.received.data(), batch_size, MSG_DONTWAIT, nullptr);
  // Nothing there, or an ICMP error to an earlier reply: nothing that concerns this socket's life.
  if (received <= 0) return received < 0 && errno != EAGAIN && errno != EWOULDBLOCK;

  unsigned due = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(received); ++i) {
    ++count.udp_received;
    b.clients[i].resize(b.received[i].msg_hdr.msg_namelen);
    auto& reply = b.replies[due];
    reply.clear();
    if (may_be_answered(b.clients[i]))
      reply = answers_.answer({&b.queries[i * longest_query], b.received[i].msg_len}, transport::udp,
                              b.clients[i].address(), local_.address());
    if (reply.empty()) {
      ++count.udp_ignored;
      continue;
    }
    b.reply_places[due] = {reply.data(), reply.size()};
    auto& header = b.sent[due].msg_hdr;
    header.msg_name = b.clients[i].data();
    header.msg_namelen = static_cast<socklen_t>(b.clients[i].size());
    header.msg_iov = &b.reply_places[due];
    header.msg_iovlen = 1;
    ++due;
  }

  // A reply that the kernel does not take (no route, a full buffer) is lost, as on the network: the client asks again.
  for (unsigned done = 0; done < due;) {
    const int sent = ::sendmmsg(socket_.native_handle(), &b.sent[done], due - done, MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    const unsigned step = sent > 0 ? static_cast<unsigned>(sent) : 1;
    (sent > 0 ? count.udp_answered : count.udp_failed) += step;
    done += step;
  }
  return true;
}

}  // namespace nearside::serve
