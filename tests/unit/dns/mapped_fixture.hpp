// SPDX-License-Identifier: BSD-2-Clause
// A zone with a mapped name, and a mapping that says what a test has put into it.
#pragma once

#include <map>

#include "fixture.hpp"

namespace nearside::dns {

using boost::asio::ip::make_address;

inline constexpr std::uint32_t www = 7;

inline const std::string parent_records = R"($TTL 20
@     300 IN SOA b1.ns host 1 3600 600 86400 30
@       NS  b1.ns
b1.ns   A   192.0.2.1
www     A   192.0.2.80
www     A   192.0.2.81
www     A   192.0.2.82
alias   CNAME www
empty   TXT "not mapped"
part    NS  ns.example.net.
*.wild  TXT "synthesised"
)";

inline rdata wire_of(std::string_view text) {
  const auto n = name::from_text(text).value();
  return {n.wire().begin(), n.wire().end()};
}

inline rrset addresses_of(std::string_view text, std::uint32_t ttl = 60) {
  const auto address = make_address(text);
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {rr_type::a, ttl, false, {{bytes.begin(), bytes.end()}}, no_pool};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {rr_type::aaaa, ttl, false, {{bytes.begin(), bytes.end()}}, no_pool};
}

inline std::shared_ptr<const referral> usual_referral() {
  referral to;
  to.servers = {rr_type::ns,
                60,
                false,
                {wire_of("e17.ns.lb.example.com."), wire_of("e18.ns.lb.example.com."), wire_of("e9.example.net.")},
                no_pool};
  to.addresses.push_back({name::from_text("e17.ns.lb.example.com").value(), addresses_of("198.51.100.17")});
  to.addresses.push_back({name::from_text("e17.ns.lb.example.com").value(), addresses_of("2001:db8::17")});
  to.addresses.push_back({name::from_text("e18.ns.lb.example.com").value(), addresses_of("198.51.100.18")});
  to.addresses.push_back({name::from_text("e9.example.net").value(), addresses_of("198.51.100.9")});
  return std::make_shared<const referral>(to);
}

inline choice one_of(std::vector<std::uint8_t> order) {
  return {choice::kind::answer, false, 5, {{std::move(order), 0xffff, 0}}};
}

/// Says what a test has put into it.
struct told final : mapping {
  decision says = usual_referral();
  std::map<std::string, node> registered;  // by name in lower case
  std::optional<rrset> apex_servers;
  std::shared_ptr<const made_answer> made;
  mutable origin last;
  mutable draw_numbers drawn;

  [[nodiscard]] decision decide(std::uint32_t mapped, const origin& asked, const draw_numbers& by) const override {
    CHECK(mapped == www);
    last = asked;
    drawn = by;
    return says;
  }
  [[nodiscard]] const node* find(std::span<const std::uint8_t> owner) const override {
    const auto found = registered.find(name::from_wire(owner).value().lower().text());
    return found != registered.end() ? &found->second : nullptr;
  }
  [[nodiscard]] const rrset* servers_at(const zone&, const origin& asked) const override {
    last = asked;
    return apex_servers ? &*apex_servers : nullptr;
  }
  [[nodiscard]] std::shared_ptr<const made_answer> make(const name& qname, std::uint16_t,
                                                        const origin&) const override {
    const bool is_its = made != nullptr && qname == made->answer.front().owner;
    return is_its ? made : nullptr;
  }

  void register_edge(const std::string& owner, std::string_view address) {
    registered[owner].rrsets.push_back(addresses_of(address));
    for (name above = name::from_text(owner).value().parent(); !above.is_root(); above = above.parent())
      registered.try_emplace(above.text());
  }
  void answer_directly(std::vector<std::uint8_t> order, std::uint8_t scope = 0, bool as_child = false) {
    says = direct_answer{pool_choice{{one_of(std::move(order)), {}}}, scope,
                         as_child ? usual_referral() : std::shared_ptr<const referral>()};
  }
};

inline zone parent_zone(std::string_view records = parent_records) {
  zone z = zone_of("lb.example.com.", records);
  z.balance(name::from_text("www.lb.example.com").value(), 0);
  z.map(name::from_text("www.lb.example.com").value(), www).value();
  z.check().value();
  return z;
}

inline const choices all_servers{{{{one_of({0, 1, 2}), {}}}}};

struct backbone {
  backbone() { zones.add(parent_zone()).value(); }

  reply ask(const query_builder& q, std::string_view destination = "192.0.2.1") const {
    return take_apart(respond(zones, all_servers, usual_identity, q.message,
                              {.random = 0x1234,
                               .client = make_address("203.0.113.5"),
                               .destination = make_address(destination),
                               .map = &map}));
  }
  reply ask(std::string_view qname, unsigned qtype) const { return ask(query_builder(qname, qtype)); }

  zone_set zones;
  told map;
};

inline const strings usual_authority{"www.lb.example.com. 60 NS e17.ns.lb.example.com.",
                                     "www.lb.example.com. 60 NS e18.ns.lb.example.com.",
                                     "www.lb.example.com. 60 NS e9.example.net."};
inline const strings usual_glue{"e17.ns.lb.example.com. 60 A 198.51.100.17",
                                "e17.ns.lb.example.com. 60 AAAA 2001:db8::17",
                                "e18.ns.lb.example.com. 60 A 198.51.100.18"};
inline const std::string parent_soa =
    "lb.example.com. 30 SOA b1.ns.lb.example.com. host.lb.example.com. 1 3600 600 86400 30";
inline const std::string child_soa =
    "www.lb.example.com. 30 SOA b1.ns.lb.example.com. host.lb.example.com. 1 3600 600 86400 30";

/// ECS of 203.0.113.0/24.
inline octets usual_subnet(std::uint8_t scope = 0) { return option(8, {0, 1, 24, scope, 203, 0, 113}); }

}  // namespace nearside::dns
