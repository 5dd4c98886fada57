// SPDX-License-Identifier: BSD-2-Clause
// The seam between the zones and what is registered: a mapped name is answered by who asks, with a referral to edges or
// in their stead. Implemented by the backbone (and, for the NS of its cuts, by an edge); called by lookup(). No I/O.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "agent/dns/choice.hpp"
#include "agent/dns/query.hpp"
#include "agent/dns/rr_type.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dns {

/// Who asks, and where.
struct origin {
  boost::asio::ip::address source = {};
  boost::asio::ip::address destination = {};  // which of our addresses was asked
  std::optional<client_subnet> subnet = {};
};

/// The NS of a cut, and the addresses of those names.
struct referral {
  rrset servers;  // type NS
  struct glue {
    name owner;
    rrset addresses;  // type A or AAAA

    friend bool operator==(const glue&, const glue&) = default;
  };
  std::vector<glue> addresses;

  friend bool operator==(const referral&, const referral&) = default;
};

/// The answer in the edges' stead: what the pool of the name answers this client.
struct direct_answer {
  std::optional<pool_choice> choice;  // nothing: what dns::choices has for the name's pool
  std::uint8_t scope = 0;             // SCOPE PREFIX-LENGTH
  /// Set where we are asked as a name server of the cut itself: its NS as the parent gives them to this client.
  std::shared_ptr<const referral> as_child;
};

/// A referral that is null is none: as a direct answer without anything in it.
using decision = std::variant<std::shared_ptr<const referral>, direct_answer>;

/// A name that is not in a zone of the configuration, as it is answered.
struct made_answer {
  rcode code = rcode::noerror;
  bool authoritative = true;
  struct record_set {
    name owner;
    rrset records;
  };
  std::vector<record_set> answer, authority, additional;
};

class mapping {
 public:
  virtual ~mapping() = default;

  /// What this client gets for the mapped name with this number (node::mapped). `by`: where that is drawn.
  [[nodiscard]] virtual decision decide(std::uint32_t mapped, const origin& asked, const draw_numbers& by) const = 0;
  /// As zone::find() for names that are registered as an edge's, and for the empty non-terminals above them; nullptr:
  /// it is none. Stays until something is registered.
  [[nodiscard]] virtual const node* find(std::span<const std::uint8_t> owner) const = 0;
  /// The NS RRset at the apex of a zone that is a cut of the backbone's (zone::follows_parent), as this client got it
  /// there; nullptr: the zone's own is right. Stays as find()'s does.
  [[nodiscard]] virtual const rrset* servers_at(const zone& child, const origin& asked) const = 0;
  /// The answer to a question that is answered before any zone is looked at, which only who is asked can give; nullptr:
  /// it is none.
  [[nodiscard]] virtual std::shared_ptr<const made_answer> make(const name& qname, std::uint16_t qtype,
                                                                const origin& asked) const = 0;
};

/// Says one thing to everybody: to render what a site gets.
class fixed_mapping final : public mapping {
 public:
  explicit fixed_mapping(decision what) : what_(std::move(what)) {}

  [[nodiscard]] decision decide(std::uint32_t, const origin&, const draw_numbers&) const override { return what_; }
  [[nodiscard]] const node* find(std::span<const std::uint8_t>) const override { return nullptr; }
  [[nodiscard]] const rrset* servers_at(const zone&, const origin&) const override { return nullptr; }
  [[nodiscard]] std::shared_ptr<const made_answer> make(const name&, std::uint16_t, const origin&) const override {
    return nullptr;
  }

 private:
  decision what_;
};

}  // namespace nearside::dns
