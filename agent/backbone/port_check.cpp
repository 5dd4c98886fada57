// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/port_check.hpp"

#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <cstring>

namespace nearside::backbone {
namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;
using mapping::edge_id;

namespace {

constexpr std::chrono::milliseconds tick_length{10};
constexpr std::size_t wheel_ticks = 1024;
constexpr std::size_t batch = 64;
// Checks begun in one tick: after a restart all edges are new at once, and neither the socket's buffer nor the thread's
// other work should feel it. 50,000 a second.
constexpr std::size_t most_begun = 500;
// The header, a name and its type, and the SOA after it: a longer reply is cut off, which does not matter.
constexpr std::size_t reply_octets = 512;
// Replies of a second, should the thread be busy for so long; the kernel gives as much as net.core.rmem_max allows.
constexpr int receive_buffer = 4 << 20;

sockaddr_storage socket_address(const asio::ip::address& address, std::uint16_t port) {
  sockaddr_storage made{};
  const udp::endpoint endpoint(address, port);
  std::memcpy(&made, endpoint.data(), endpoint.size());
  return made;
}

}  // namespace

/// Queries that wait for the end of the tick, and room for replies.
struct port_check::family_socket {
  explicit family_socket(udp::socket opened) : socket(std::move(opened)) {}

  struct datagram {
    slot to = 0;
    sockaddr_storage address{};
    std::vector<std::uint8_t> octets;
  };
  udp::socket socket;
  std::array<datagram, batch> out;
  std::size_t waiting = 0;
  bool listens = false;
  std::array<std::array<std::uint8_t, reply_octets>, batch> in{};
};

std::size_t port_check::address_hash::operator()(const asio::ip::address& address) const noexcept {
  return std::hash<asio::ip::address>{}(address);
}

result<std::unique_ptr<port_check>> port_check::make(const asio::any_io_executor& executor,
                                                     const port_check_settings& settings, verdict told) {
  std::unique_ptr<port_check> made(new port_check(executor, settings, std::move(told)));
  error_code failed;
  for (const bool six : {false, true}) {
    udp::socket socket(executor);
    if (socket.open(six ? udp::v6() : udp::v4(), failed); failed) continue;
    if (six) socket.set_option(asio::ip::v6_only(true), failed);
    if (socket.non_blocking(true, failed); failed) continue;
    error_code ignored;
    socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer), ignored);
    made->sockets_[six ? 1 : 0] = std::make_unique<family_socket>(std::move(socket));
  }
  if (!made->sockets_[0] && !made->sockets_[1]) return system_error(failed.value(), "port check: open a UDP socket");
  return made;
}

port_check::port_check(const asio::any_io_executor& executor, const port_check_settings& settings, verdict told)
    : executor_(executor), settings_(settings), told_(std::move(told)), timer_(executor), wheel_(wheel_ticks) {}

port_check::~port_check() = default;

void port_check::set_names(std::span<const dns::name> mapped) {
  questions_.clear();
  for (const auto& name : mapped) questions_.emplace_back(name);
  next_question_ = 0;
  // Replies to questions that are gone are no replies.
  for (slot which = 0; which < targets_.size(); ++which)
    if (targets_[which].state != phase::idle) {
      targets_[which].state = phase::idle;
      put_off(which, now() + 1);
    }
}

void port_check::set_settings(const port_check_settings& settings) { settings_ = settings; }

// ---- whom to ask ----

void port_check::watch(edge_id edge, std::span<const asio::ip::address> addresses, bool at_leisure) {
  auto& known = by_edge_[edge];
  const auto before = std::exchange(known, {addresses.begin(), addresses.end()});
  for (const auto& old : before)
    if (std::ranges::find(addresses, old) == addresses.end()) unwatch(edge, old);
  for (const auto& address : addresses) {
    if (std::ranges::find(before, address) != before.end()) continue;
    const auto [found, is_new] = by_address_.try_emplace(address, 0);
    if (is_new) {
      if (free_.empty()) {
        free_.push_back(static_cast<slot>(targets_.size()));
        targets_.emplace_back();
      }
      found->second = free_.back();
      free_.pop_back();
      targets_[found->second] = {.address = address, .edges = {}, .due = targets_[found->second].due};
    }
    target& there = targets_[found->second];
    if (std::ranges::find(there.edges, edge) == there.edges.end()) there.edges.push_back(edge);
    there.failed = 0;
    if (there.state != phase::idle) continue;  // its verdict is under way
    const auto wait = at_leisure ? 1 + random_() % std::max<tick>(ticks(settings_.interval), 1) : 1;
    put_off(found->second, now() + wait);
  }
  if (known.empty()) by_edge_.erase(edge);
  if (!ticking_ && !by_address_.empty()) {
    ticking_ = true;
    done_ = std::max(done_, now());
    wait_for_tick();
  }
}

void port_check::unwatch(edge_id edge, const asio::ip::address& address) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return;
  target& there = targets_[found->second];
  std::erase(there.edges, edge);
  if (!there.edges.empty()) return;
  there.state = phase::idle;
  there.due = 0;
  free_.push_back(found->second);
  by_address_.erase(found);
}

// ---- time ----

port_check::tick port_check::now() const { return static_cast<tick>((clock::now() - begun_) / tick_length); }

port_check::tick port_check::ticks(std::chrono::milliseconds time) const {
  return static_cast<tick>((time + tick_length - std::chrono::milliseconds(1)) / tick_length);
}

void port_check::put_off(slot which, tick due) {
  due = std::max(due, done_ + 1);
  targets_[which].due = due;
  wheel_[due % wheel_ticks].push_back(which);
}

void port_check::wait_for_tick() {
  timer_.expires_at(begun_ + tick_length * (done_ + 1));
  auto on_time = [this](const error_code& cancelled) {
    if (cancelled) return;
    run_ticks();
    if (ticking_ = !by_address_.empty(); ticking_) wait_for_tick();
  };
  timer_.async_wait(std::move(on_time));
}

void port_check::run_ticks() {
  const tick until = now();
  if (until > done_ + 10) ++count_.late;
  // After a long halt every place of the wheel is looked at once, not once for each round that was missed.
  if (until > done_ + wheel_ticks) done_ = until - wheel_ticks;
  std::size_t begun = 0;
  while (done_ < until) {
    ++done_;
    due_.swap(wheel_[done_ % wheel_ticks]);
    for (const slot which : due_) {
      if (targets_[which].edges.empty() || targets_[which].due == 0) continue;
      if (targets_[which].due > done_) {
        // Of a later round: it comes to the same place again. An entry for another place is an old one.
        if (targets_[which].due % wheel_ticks == done_ % wheel_ticks) wheel_[done_ % wheel_ticks].push_back(which);
        continue;
      }
      if (targets_[which].state == phase::idle && !questions_.empty() && ++begun > most_begun) {
        put_off(which, std::max(done_, until) + 1 + random_() % (1 + begun / most_begun));
        continue;
      }
      targets_[which].due = 0;
      run(which);
    }
    due_.clear();
  }
  for (const auto& from : sockets_)
    if (from) flush(*from);
}

// ---- one check ----

void port_check::run(slot which) {
  target& at = targets_[which];
  const tick resend = ticks(settings_.resend);
  const tick timeout = ticks(settings_.timeout);
  if (questions_.empty()) return put_off(which, done_ + ticks(settings_.interval));
  switch (at.state) {
    case phase::idle:
      at.question = next_question_++ % static_cast<std::uint32_t>(questions_.size());
      at.id = static_cast<std::uint16_t>(random_());
      at.first_sent = done_;
      at.state = phase::asked;
      put_off(which, done_ + std::min(resend, timeout));
      return ask(which);
    case phase::asked:
      if (done_ >= at.first_sent + timeout) return conclude(which, "no reply");
      at.state = phase::asked_again;
      put_off(which, std::max(at.first_sent + timeout, done_ + 1));
      return ask(which);
    case phase::asked_again: return conclude(which, "no reply");
  }
}

void port_check::conclude(slot which, std::string_view reason) {
  target& at = targets_[which];
  at.state = phase::idle;
  const tick interval = ticks(settings_.interval);
  if (reason.empty()) {
    ++count_.good;
    at.failed = 0;
  } else {
    ++count_.failed;
    ++at.failed;
  }
  const bool tell = reason.empty() || at.failed >= settings_.failures;
  // What has just failed is asked again soon, so that it is known in a second or two; all else a little before or after
  // its interval, so that those which began together drift apart.
  const tick resend = std::max<tick>(ticks(settings_.resend), 1);
  const tick spread = std::max<tick>(interval / 8, 1);
  put_off(which, done_ + (tell ? interval - spread / 2 + random_() % spread : resend));
  if (!tell) return;
  // By copies: who is told may change what is watched.
  const auto edges = at.edges;
  const auto address = at.address;
  const std::string text(reason);
  for (const edge_id edge : edges) told_(edge, address, text);
}

void port_check::ask(slot which) {
  const target& at = targets_[which];
  const auto& from = sockets_[at.address.is_v6() ? 1 : 0];
  if (!from) {
    ++count_.unsent;
    return;
  }
  auto& datagram = from->out[from->waiting];
  questions_[at.question].write(datagram.octets, at.id);
  datagram.to = which;
  datagram.address = socket_address(at.address, settings_.port);
  if (++from->waiting == batch) flush(*from);
}

void port_check::flush(family_socket& from) {
  if (from.waiting == 0) return;
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> parts{};
  for (std::size_t i = 0; i < from.waiting; ++i) {
    auto& datagram = from.out[i];
    parts[i] = {datagram.octets.data(), datagram.octets.size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &datagram.address;
    messages[i].msg_hdr.msg_namelen =
        datagram.address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }
  std::size_t sent = 0;
  while (sent < from.waiting) {
    const int done = ::sendmmsg(from.socket.native_handle(), &messages[sent],
                                static_cast<unsigned>(from.waiting - sent), MSG_DONTWAIT);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
      count_.sent += static_cast<std::uint64_t>(done);
      continue;
    }
    const int why = errno;
    if (why == EINTR) continue;
    // No route, no buffer, a firewall of ours: the edge has not been asked, so this check comes to no conclusion.
    target& at = targets_[from.out[sent].to];
    ++count_.unsent;
    if (const auto untold = unsent_lines_.tell(clock::now()))
      spdlog::warn("port check not sent address={} error=\"{}\" untold={}", at.address.to_string(), std::strerror(why),
                   *untold);
    if (at.state != phase::idle) {
      at.state = phase::idle;
      put_off(from.out[sent].to, done_ + ticks(settings_.interval));
    }
    ++sent;
  }
  from.waiting = 0;
  wait_for_replies(from);
}

// ---- replies ----

void port_check::wait_for_replies(family_socket& from) {
  if (from.listens) return;
  from.listens = true;
  auto on_ready = [this, &from](const error_code& failed) {
    if (failed) return;  // closed: there may be no `from` any more
    from.listens = false;
    receive(from);
    wait_for_replies(from);
  };
  from.socket.async_wait(udp::socket::wait_read, std::move(on_ready));
}

void port_check::receive(family_socket& from) {
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> parts{};
  std::array<sockaddr_storage, batch> sources{};
  for (std::size_t i = 0; i < batch; ++i) {
    parts[i] = {from.in[i].data(), from.in[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &sources[i];
    messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  }
  const int got = ::recvmmsg(from.socket.native_handle(), messages.data(), batch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < got; ++i) {
    ++count_.received;
    udp::endpoint source;
    const auto& header = messages[static_cast<std::size_t>(i)];
    if (header.msg_hdr.msg_namelen > source.capacity()) continue;
    std::memcpy(source.data(), &sources[static_cast<std::size_t>(i)], header.msg_hdr.msg_namelen);
    source.resize(header.msg_hdr.msg_namelen);
    if (source.port() != settings_.port) {
      ++count_.foreign;
      continue;
    }
    take(source.address(), {from.in[static_cast<std::size_t>(i)].data(), header.msg_len});
  }
}

void port_check::take(const asio::ip::address& source, std::span<const std::uint8_t> reply) {
  const auto found = by_address_.find(source);
  if (found == by_address_.end() || targets_[found->second].state == phase::idle) {
    ++count_.foreign;
    return;
  }
  const target& at = targets_[found->second];
  const auto judged = questions_[at.question].judge(reply, at.id);
  if (!judged) {
    ++count_.foreign;
    return;
  }
  conclude(found->second, *judged);
}

}  // namespace nearside::backbone
