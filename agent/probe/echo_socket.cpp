// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/echo_socket.hpp"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nearside::probe {
namespace asio = boost::asio;
using asio::ip::icmp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_message = 2048;
// Then others of the event loop have their turn.
constexpr int messages_at_once = 64;

template <typename Number>
Number random_number() {
  Number number{};
  // Cannot fail for so few octets once the system has started.
  if (::getrandom(&number, sizeof number, 0) != sizeof number) number = {};
  return number;
}

/// Only replies and unreachables come in: a raw socket otherwise gets a copy of all ICMP of the host.
bool filter(int socket, bool v6) {
  if (v6) {
    icmp6_filter wanted{};
    ICMP6_FILTER_SETBLOCKALL(&wanted);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &wanted);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &wanted);
    return ::setsockopt(socket, IPPROTO_ICMPV6, ICMP6_FILTER, &wanted, sizeof wanted) == 0;
  }
  icmp_filter unwanted{~((1U << ICMP_ECHOREPLY) | (1U << ICMP_DEST_UNREACH))};
  return ::setsockopt(socket, SOL_RAW, ICMP_FILTER, &unwanted, sizeof unwanted) == 0;
}

/// The kernel adds the interface to link-local sources; the octets are what counts.
asio::ip::address without_scope(const asio::ip::address& address) {
  return address.is_v6() ? asio::ip::address(asio::ip::address_v6(address.to_v6().to_bytes())) : address;
}

}  // namespace

struct echo_socket::waiter {
  waiter(const asio::any_io_executor& executor, echo_id request, asio::ip::address to)
      : timer(executor), id(request), server(std::move(to)) {}
  asio::steady_timer timer;  // cancelled by the answer
  echo_id id;
  asio::ip::address server;
  std::optional<score::duration> answered;
  std::chrono::steady_clock::time_point sent = std::chrono::steady_clock::now();
  bool unreachable = false;
};

echo_socket::echo_socket(icmp::socket socket, bool v6)
    : socket_(std::move(socket)), v6_(v6), identifier_(random_number<std::uint16_t>()) {}

result<std::shared_ptr<echo_socket>> echo_socket::open(const asio::any_io_executor& executor, bool v6) {
  const std::string doing = v6 ? "raw ICMPv6 socket" : "raw ICMP socket";
  icmp::socket socket(executor);
  error_code failed;
  socket.open(v6 ? icmp::v6() : icmp::v4(), failed);
  if (failed.value() == EPERM || failed.value() == EACCES)
    return error{errc::denied, doing + ": CAP_NET_RAW is missing"};
  if (failed) {
    auto fault = local_fault(failed.value(), doing);
    return error{fault.kind, std::move(fault.reason)};
  }
  if (!filter(socket.native_handle(), v6)) return system_error(errno, doing + ": filter");
  socket.non_blocking(true, failed);
  if (failed) return system_error(failed.value(), doing);
  std::shared_ptr<echo_socket> opened(new echo_socket(std::move(socket), v6));
  opened->wait();
  return opened;
}

void echo_socket::close() {
  error_code ignored;
  socket_.close(ignored);
  for (auto& [sequence, one] : waiting_) one->timer.cancel();
}

std::optional<std::uint16_t> echo_socket::free_sequence() {
  for (int tries = 0; tries <= UINT16_MAX; ++tries)
    if (!waiting_.contains(++last_sequence_)) return last_sequence_;
  return std::nullopt;
}

asio::awaitable<std::optional<trouble>> echo_socket::ping(attempt& now, asio::ip::address server) {
  const auto self = shared_from_this();
  const auto sequence = free_sequence();
  if (!sequence) co_return trouble{cause::local, "icmp: all sequence numbers are under way", errc::exhausted};
  waiter here(now.executor(), {identifier_, *sequence, random_number<std::uint64_t>()}, server);
  // The coroutine may be ended while it waits: nothing may point to it then.
  struct entry {
    decltype(waiting_)& all;
    std::uint16_t sequence;
    entry(decltype(waiting_)& map, std::uint16_t number, waiter& one) : all(map), sequence(number) {
      all.emplace(number, &one);
    }
    ~entry() { all.erase(sequence); }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    entry(entry&&) = delete;
    entry& operator=(entry&&) = delete;
  };
  const entry registered(waiting_, *sequence, here);

  const auto request = echo_request(here.id, v6_);
  error_code failed;
  here.sent = std::chrono::steady_clock::now();
  socket_.send_to(asio::buffer(request), icmp::endpoint(server, 0), 0, failed);
  if (failed) co_return trouble_of(failed, "icmp");
  here.timer.expires_at(here.sent + now.timeout());
  co_await here.timer.async_wait(as_result);
  if (here.unreachable) co_return trouble{cause::unreachable, "unreachable"};
  if (!here.answered) co_return trouble{cause::timeout, "timeout: echo reply"};
  now.found.first_byte = here.answered;
  co_return std::nullopt;
}

void echo_socket::wait() {
  auto on_readable = [self = shared_from_this()](const error_code& failed) {
    if (failed == asio::error::operation_aborted || !self->socket_.is_open()) return;
    self->receive();
    self->wait();
  };
  socket_.async_wait(icmp::socket::wait_read, std::move(on_readable));
}

void echo_socket::receive() {
  std::array<std::uint8_t, longest_message> octets;  // NOLINT(*-member-init): filled by each read
  for (int i = 0; i < messages_at_once; ++i) {
    icmp::endpoint source;
    error_code failed;
    const auto length = socket_.receive_from(asio::buffer(octets), source, 0, failed);
    if (failed == asio::error::would_block || failed == asio::error::bad_descriptor) return;
    if (failed) continue;  // an error of an earlier request, told by the next call
    const std::span<const std::uint8_t> message(octets.data(), length);
    if (const auto answer = v6_ ? read_echo_v6(message) : read_echo_v4(message)) take(*answer, source.address());
  }
}

void echo_socket::take(const echo_answer& answer, const asio::ip::address& source) {
  if (answer.id.identifier != identifier_) return;
  const auto found = waiting_.find(answer.id.sequence);
  if (found == waiting_.end()) return;
  waiter& one = *found->second;
  if (one.answered || one.unreachable) return;
  if (answer.unreachable) {
    // Whoever sends the error, it quotes what we sent and where to.
    if (answer.about != without_scope(one.server)) return;
    one.unreachable = true;
  } else {
    if (answer.id != one.id || without_scope(source) != without_scope(one.server)) return;
    one.answered = std::chrono::steady_clock::now() - one.sent;
  }
  one.timer.cancel();
}

}  // namespace nearside::probe
