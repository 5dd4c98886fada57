// SPDX-License-Identifier: BSD-2-Clause
// For tests of who asks resolvers: one on loopback that answers as it is told to.
#pragma once

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/dns/ldns.hpp"

namespace nearside::tests {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using octets = std::vector<std::uint8_t>;

inline constexpr auto asked_as_result = asio::as_tuple(asio::use_awaitable);

inline void expect(bool holds) {
  if (!holds) throw std::runtime_error("a reply of the test's resolver cannot be made");
}

/// The reply to a query, with these RRs in its answer section.
inline octets reply_to(const octets& query, const std::vector<std::string>& answers, int rcode = 0,
                       bool truncated = false) {
  ldns_pkt* parsed = nullptr;
  expect(ldns_wire2pkt(&parsed, query.data(), query.size()) == LDNS_STATUS_OK);
  const dns::owned_packet packet(parsed);
  ldns_pkt_set_qr(parsed, true);
  ldns_pkt_set_rcode(parsed, static_cast<std::uint8_t>(rcode));
  ldns_pkt_set_tc(parsed, truncated);
  for (const std::string& text : answers) {
    ldns_rr* rr = nullptr;
    expect(ldns_rr_new_frm_str(&rr, text.c_str(), 0, nullptr, nullptr) == LDNS_STATUS_OK);
    ldns_pkt_push_rr(parsed, LDNS_SECTION_ANSWER, rr);
  }
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  expect(ldns_pkt2wire(&wire, parsed, &size) == LDNS_STATUS_OK);
  octets all(wire, wire + size);
  std::free(wire);  // NOLINT(*-no-malloc): ldns's
  return all;
}

/// A resolver on loopback, UDP and TCP on one port.
struct resolver_on_loopback {
  explicit resolver_on_loopback(asio::io_context& io,
                                const asio::ip::address& address = asio::ip::address_v4::loopback(),
                                std::uint16_t on_port = 0)
      : udp_(io), tcp_(io) {
    // A port that is free for UDP may be somebody's for TCP.
    for (int tries = 0; tries < 50 && !open(address, on_port); ++tries) expect(on_port == 0);
    expect(udp_.is_open());
    asio::co_spawn(io, serve_udp(), asio::detached);
    asio::co_spawn(io, serve_tcp(), asio::detached);
  }
  [[nodiscard]] std::uint16_t port() const { return udp_.local_endpoint().port(); }

  std::function<std::vector<octets>(const octets&)> over_udp = [](const octets&) { return std::vector<octets>{}; };
  std::function<octets(const octets&)> over_tcp;
  octets query;

 private:
  bool open(const asio::ip::address& address, std::uint16_t on_port) {
    boost::system::error_code failed;
    tcp_ = tcp::acceptor(tcp_.get_executor());
    udp_ = udp::socket(udp_.get_executor());
    tcp_.open(address.is_v4() ? tcp::v4() : tcp::v6());
    tcp_.set_option(tcp::acceptor::reuse_address(true));
    tcp_.bind({address, on_port}, failed);
    if (failed) return false;
    tcp_.listen();
    udp_.open(address.is_v4() ? udp::v4() : udp::v6());
    udp_.bind({address, tcp_.local_endpoint().port()}, failed);
    if (failed) udp_.close();
    return !failed;
  }
  asio::awaitable<void> serve_udp() {
    for (;;) {
      octets read(4096);
      udp::endpoint from;
      const auto [failed, got] = co_await udp_.async_receive_from(asio::buffer(read), from, asked_as_result);
      if (failed) co_return;
      read.resize(got);
      query = read;
      for (const octets& one : over_udp(read)) udp_.send_to(asio::buffer(one), from);
    }
  }
  asio::awaitable<void> serve_tcp() {
    for (;;) {
      auto [failed, socket] = co_await tcp_.async_accept(asked_as_result);
      if (failed) co_return;
      std::array<std::uint8_t, 2> length{};
      const auto [none, two] = co_await asio::async_read(socket, asio::buffer(length), asked_as_result);
      if (none || !over_tcp) continue;
      octets read(static_cast<std::size_t>(length[0]) << 8U | length[1]);
      const auto [cut, got] = co_await asio::async_read(socket, asio::buffer(read), asked_as_result);
      if (cut) continue;
      octets reply = over_tcp(read);
      reply.insert(reply.begin(),
                   {static_cast<std::uint8_t>(reply.size() >> 8), static_cast<std::uint8_t>(reply.size())});
      co_await asio::async_write(socket, asio::buffer(reply), asked_as_result);
    }
  }
  udp::socket udp_;
  tcp::acceptor tcp_;
};

}  // namespace nearside::tests
