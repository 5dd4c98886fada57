// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/dns.hpp"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace nearside::probe {
namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t longest_reply = 4096;

}  // namespace

asio::awaitable<std::optional<trouble>> check_dns(attempt& now, const prepared_check& check,
                                                  const config::probe_target& target) {
  udp::socket socket(now.executor());
  const udp::endpoint server(target.address, target.port);
  error_code failed;
  socket.open(server.protocol(), failed);
  if (failed) co_return local_fault(failed.value(), "socket");
  auto close = [&socket] {
    error_code ignored;
    socket.close(ignored);
  };
  now.step("reply", std::move(close));
  // Without it the kernel keeps to itself what routers say about the host.
  const int on = 1;
  const bool v6 = target.address.is_v6();
  if (::setsockopt(socket.native_handle(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on,
                   sizeof on) != 0)
    co_return local_fault(errno, "socket");
  // Connected: the kernel picks a random source port, drops what others send, and tells of ICMP errors.
  socket.connect(server, failed);
  if (failed) co_return now.why(failed);
  std::uint16_t id = 0;
  if (::getrandom(&id, sizeof id, 0) != sizeof id) co_return local_fault(errno, "getrandom");
  socket.send(asio::buffer(check.question->query(id)), 0, failed);
  if (failed) co_return now.why(failed);

  std::array<std::uint8_t, longest_reply> reply;  // NOLINT(*-member-init): filled by each read
  for (;;) {
    const auto [unread, octets] = co_await socket.async_receive(asio::buffer(reply), as_result);
    if (unread) co_return now.why(unread);
    auto [ours, wrong] = check.question->judge({reply.data(), octets}, id);
    if (!ours) continue;
    now.found.first_byte = now.elapsed();
    co_return std::move(wrong);
  }
}

}  // namespace nearside::probe
