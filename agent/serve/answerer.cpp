// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/answerer.hpp"

namespace nearside::serve {

std::vector<std::uint8_t> answerer::answer(std::span<const std::uint8_t> message, transport by,
                                           const boost::asio::ip::address& client,
                                           const boost::asio::ip::address& destination) {
  const dns::request_context context{.tcp = by == transport::tcp,
                                     .random = picks_.next(),
                                     .client = client,
                                     .destination = destination,
                                     .map = content_.map.get()};
  auto reply = dns::respond(*content_.zones, *content_.choices, content_.self, message, context);
  if (reply.size() >= 4) {
    ++count.rcodes[reply[3] & 0x0fu];  // RFC 1035 4.1.1: the low four bits of the fourth octet
    if ((reply[2] & 0x02u) != 0) ++count.truncated;
  }
  return reply;
}

}  // namespace nearside::serve
