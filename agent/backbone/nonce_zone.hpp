// SPDX-License-Identifier: BSD-2-Clause
// The zone below which edges ask for unique names, so that this node sees by which address their resolver asks:
// <nonce>.b1.who.lb.example.com. Nothing is stored: each answer is made from the question and who asks it. Owned by the
// backbone; one thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dns/mapping.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside::backbone {

struct nonce_zone_settings {
  dns::name apex;                                   // b1.who.lb.example.com
  dns::name server;                                 // its NS: this node's name
  dns::name mailbox;                                // of the SOA
  std::vector<boost::asio::ip::address> addresses;  // where this node answers, of both families if it can
  mapping::secret_key master{};                     // tokens are made with it
};

class nonce_zone {
 public:
  using clock = std::function<mapping::instant()>;
  /// `book` is told of each egress that has proved itself, and must outlive this.
  nonce_zone(nonce_zone_settings settings, mapping::registry& book, clock now);

  /// The answer for names at or below the apex; nullptr: it is another zone's to give.
  ///
  /// A nonce is answered with a CNAME to a name with a token that only who receives the answer can know, since a source
  /// may be forged; the query for that name proves the egress. Its A or AAAA is the egress, its TXT the same as text,
  /// all with TTL 0. Any other name tells the address that asks, and proves nothing. Below v4 and v6 only the queries
  /// over that family are answered: others are referred to a server that has no other addresses.
  [[nodiscard]] std::shared_ptr<const dns::made_answer> answer(const dns::name& qname, std::uint16_t qtype,
                                                               const boost::asio::ip::address& source) const;
  /// Whether the zone lies below this name, which so is an empty non-terminal if nothing else.
  [[nodiscard]] bool is_below(std::span<const std::uint8_t> owner) const noexcept;

 private:
  /// A zone that we answer for: the whole, or the part of one family.
  struct part {
    dns::name apex;
    dns::name server;
    std::vector<boost::asio::ip::address> addresses;  // of `server`, where that lies inside
    std::string_view label;                           // "v4", "v6"; empty: the whole
    bool is_v4 = false;
  };
  struct asked {
    const dns::name& qname;
    std::uint16_t qtype;
    boost::asio::ip::address source;
  };
  using made = dns::made_answer;

  void answer_at_apex(const part& zone, const asked& q, made& to) const;
  void answer_below(const part& zone, const asked& q, std::size_t labels, made& to) const;
  void tell(const part& zone, const asked& q, const boost::asio::ip::address& what, made& to) const;
  void refer(const part& zone, made& to) const;
  void say_no(const part& zone, made& to) const;
  [[nodiscard]] dns::rrset soa_of(const part& zone) const;
  [[nodiscard]] std::vector<made::record_set> addresses_of(const part& zone) const;

  nonce_zone_settings settings_;
  mapping::registry& registry_;
  clock now_;
  part whole_;
  std::vector<part> families_;
};

}  // namespace nearside::backbone
