// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/ask.hpp"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <vector>

#include "agent/base/deadline.hpp"

namespace nearside::registration {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_udp = 4096;

/// What one question has in common, whichever way it goes.
struct exchange {
  udp::endpoint resolver;
  std::shared_ptr<const dns::question> asked;
  std::uint16_t id = 0;
  deadline& until;

  [[nodiscard]] error failure(const char* step, const error_code& failed) const {
    const std::string who = resolver.address().to_string() + " port " + std::to_string(resolver.port());
    if (until.expired()) return {errc::failing, who + ": timeout"};
    return {errc::failing, who + ": " + step + ": " + failed.message()};
  }
  [[nodiscard]] error malformed() const {
    return {errc::failing,
            resolver.address().to_string() + " port " + std::to_string(resolver.port()) + ": malformed answer"};
  }
};

asio::awaitable<result<dns::owned_packet>> over_udp(exchange& now) {
  udp::socket socket(co_await asio::this_coro::executor);
  error_code failed;
  socket.open(now.resolver.protocol(), failed);
  if (failed) co_return system_error(failed.value(), "socket");
  // Without it the kernel keeps to itself what routers say about the host.
  const int on = 1;
  const bool v6 = now.resolver.address().is_v6();
  ::setsockopt(socket.native_handle(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
  now.until.give_up_by([&socket] {
    error_code ignored;
    socket.close(ignored);
  });
  // Connected: the kernel picks a random source port, drops what others send, and tells of ICMP errors.
  socket.connect(now.resolver, failed);
  if (failed) co_return now.failure("connect", failed);
  socket.send(asio::buffer(now.asked->query(now.id)), 0, failed);
  if (failed) co_return now.failure("send", failed);
  std::array<std::uint8_t, longest_udp> octets;  // NOLINT(*-member-init): filled by each read
  for (;;) {
    const auto [unread, got] = co_await socket.async_receive(asio::buffer(octets), as_result);
    if (unread) {
      now.until.give_up_by({});
      co_return now.failure("receive", unread);
    }
    auto [ours, message] = now.asked->read({octets.data(), got}, now.id);
    if (!ours) continue;
    now.until.give_up_by({});
    if (!message) co_return now.malformed();
    co_return std::move(message);
  }
}

/// RFC 7766 8: each message behind its length in two octets.
asio::awaitable<result<dns::owned_packet>> over_tcp(exchange& now) {
  if (now.until.expired()) co_return now.failure("connect over TCP", asio::error::timed_out);
  tcp::socket socket(co_await asio::this_coro::executor);
  now.until.give_up_by([&socket] {
    error_code ignored;
    socket.close(ignored);
  });
  struct nothing_to_close {
    deadline& until;
    ~nothing_to_close() { until.give_up_by({}); }
  } const at_end{now.until};

  const auto [unconnected] =
      co_await socket.async_connect(tcp::endpoint(now.resolver.address(), now.resolver.port()), as_result);
  if (unconnected) co_return now.failure("connect over TCP", unconnected);
  const auto query = now.asked->query(now.id);
  std::vector<std::uint8_t> framed{static_cast<std::uint8_t>(query.size() >> 8),
                                   static_cast<std::uint8_t>(query.size())};
  framed.insert(framed.end(), query.begin(), query.end());
  const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(framed), as_result);
  if (unsent) co_return now.failure("send over TCP", unsent);

  std::array<std::uint8_t, 2> length{};
  const auto [no_length, two] = co_await asio::async_read(socket, asio::buffer(length), as_result);
  if (no_length) co_return now.failure("receive over TCP", no_length);
  std::vector<std::uint8_t> octets(static_cast<std::size_t>(length[0]) << 8U | length[1]);
  const auto [unread, got] = co_await asio::async_read(socket, asio::buffer(octets), as_result);
  if (unread) co_return now.failure("receive over TCP", unread);
  auto [ours, message] = now.asked->read(octets, now.id);
  if (!ours || !message) co_return now.malformed();
  co_return std::move(message);
}

}  // namespace

asio::awaitable<result<answer>> ask(udp::endpoint resolver, std::shared_ptr<const dns::question> asked,
                                    milliseconds time) {
  deadline until(co_await asio::this_coro::executor);
  until.within(time);
  exchange now{resolver, std::move(asked), 0, until};
  if (::getrandom(&now.id, sizeof now.id, 0) != sizeof now.id) co_return system_error(errno, "getrandom");

  const auto started = deadline::clock::now();
  auto message = co_await over_udp(now);
  const auto rtt = std::chrono::duration_cast<std::chrono::microseconds>(deadline::clock::now() - started);
  if (message && ldns_pkt_tc(message->get())) message = co_await over_tcp(now);
  if (!message) co_return message.error();
  co_return answer{std::move(*message), rtt};
}

result<asio::ip::address> observed_address(const ldns_pkt* message) {
  const int rcode = ldns_pkt_get_rcode(message);
  if (rcode != LDNS_RCODE_NOERROR) return error{errc::failing, dns::rcode_text(rcode)};
  const ldns_rr_list* answers = ldns_pkt_answer(message);
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
    const ldns_rr* rr = ldns_rr_list_rr(answers, i);
    if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_TXT || ldns_rr_rd_count(rr) == 0) continue;
    // RFC 1035 3.3.14: one octet of length, then the text.
    const ldns_rdf* text = ldns_rr_rdf(rr, 0);
    const auto* octets = reinterpret_cast<const char*>(ldns_rdf_data(text));
    if (ldns_rdf_size(text) < 2) continue;
    error_code failed;
    const auto found = asio::ip::make_address(std::string(octets + 1, ldns_rdf_size(text) - 1), failed);
    if (!failed && !found.is_unspecified()) return found;
  }
  return error{errc::failing, "no address in the answer"};
}

}  // namespace nearside::registration
