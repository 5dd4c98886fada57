// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/port_question.hpp"

#include <algorithm>
#include <array>

namespace nearside::backbone {

namespace {

constexpr std::size_t header_octets = 12;
constexpr std::uint8_t qr = 0x80;
constexpr std::uint8_t aa = 0x04;
constexpr std::uint8_t opcode = 0x78;
constexpr std::uint8_t tc = 0x02;
constexpr std::array<std::string_view, 16> rcodes{"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
                                                  "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "DSOTYPENI",
                                                  "RCODE12",  "RCODE13", "RCODE14",  "RCODE15"};

}  // namespace

port_question::port_question(const dns::name& mapped) {
  // QDCOUNT 1; RD is not set, as nothing is to be asked elsewhere.
  query_ = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  const auto wire = mapped.wire();
  query_.insert(query_.end(), wire.begin(), wire.end());
  constexpr std::uint8_t soa = 6;
  constexpr std::uint8_t in = 1;
  query_.insert(query_.end(), {0, soa, 0, in});
}

void port_question::write(std::vector<std::uint8_t>& query, std::uint16_t id) const {
  query.assign(query_.begin(), query_.end());
  query[0] = static_cast<std::uint8_t>(id >> 8U);
  query[1] = static_cast<std::uint8_t>(id);
}

std::optional<std::string_view> port_question::judge(std::span<const std::uint8_t> reply, std::uint16_t id) const {
  if (reply.size() < query_.size() || reply[0] != static_cast<std::uint8_t>(id >> 8U) ||
      reply[1] != static_cast<std::uint8_t>(id) || (reply[2] & qr) == 0 || (reply[2] & opcode) != 0)
    return std::nullopt;
  // The question is echoed, in whichever case: else whoever sent this has not seen it.
  const bool ours =
      reply[4] == 0 && reply[5] == 1 &&
      std::equal(query_.begin() + header_octets, query_.end(), reply.begin() + header_octets,
                 [](std::uint8_t a, std::uint8_t b) { return dns::lower_octet(a) == dns::lower_octet(b); });
  if (!ours) return std::nullopt;
  if (const auto rcode = reply[3] & 0x0fU; rcode != 0) return rcodes[rcode];
  if ((reply[2] & tc) != 0) return "truncated";
  if ((reply[2] & aa) == 0) return "not authoritative";
  return "";
}

}  // namespace nearside::backbone
