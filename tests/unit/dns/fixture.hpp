// SPDX-License-Identifier: BSD-2-Clause
// The usual zone, a builder of queries that a test can bend, and replies taken apart by ldns, a reader that is not
// ours.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dns/ldns.hpp"
#include "agent/dns/master_file.hpp"
#include "agent/dns/respond.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

using octets = std::vector<std::uint8_t>;
using strings = std::vector<std::string>;

inline const std::string usual_records = R"($TTL 20
@     300 IN SOA ns1 host 1 3600 600 86400 30
@       NS  ns1
@       NS  ns2.other.example.
@       NS  ns3
ns1     A   192.0.2.1
ns1     AAAA 2001:db8::1
ns3     A   192.0.2.3
www     A   192.0.2.80
www     A   192.0.2.81
www     A   192.0.2.82
www     AAAA 2001:db8::80
one     A   192.0.2.99
alias   CNAME www
alias2  CNAME alias
nowhere CNAME missing
noaaaa  CNAME one
outside CNAME www.example.net.
inward  CNAME host.sub
loop1   CNAME loop2
loop2   CNAME loop1
a.ent   TXT "below an empty non-terminal"
*.wild  TXT "synthesised"
*.wild  A   192.0.2.7
there.wild TXT "itself"
*.walias CNAME one
mail    MX  10 one
srv     SRV 0 0 53 one
h       HTTPS 1 . alpn=h2
u       TYPE65280 \# 3 010203
sub     NS  ns.sub
sub     NS  ns2.other.example.
sub     DS  1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub  A   192.0.2.53
host.sub A  192.0.2.54
)";

inline zone zone_of(std::string_view apex, std::string_view records) {
  zone z(name::from_text(apex).value());
  std::vector<master_error> errors;
  read_master_text(records, "test", 1, 20, z, errors);
  for (const auto& e : errors) FAIL(e.line << ": " << e.message);
  z.check().value();
  return z;
}

inline zone_set usual_zones() {
  zone_set zones;
  zones.add(zone_of("lb.example.", usual_records)).value();
  return zones;
}

inline void put16(octets& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8U));
  to.push_back(static_cast<std::uint8_t>(value));
}

/// A query in the making.
struct query_builder {
  octets message = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0};  // ID 1234, RD

  query_builder(std::string_view qname, unsigned qtype, unsigned qclass = rr_class::in) {
    const auto n = name::from_text(qname).value();
    message.insert(message.end(), n.wire().begin(), n.wire().end());
    put16(message, qtype);
    put16(message, qclass);
  }
  query_builder& opt(const octets& options = {}, unsigned size = 1232, unsigned version = 0, bool dnssec_ok = false) {
    message.push_back(0);
    put16(message, rr_type::opt);
    put16(message, size);
    put16(message, version);
    put16(message, dnssec_ok ? 0x8000 : 0);
    put16(message, static_cast<unsigned>(options.size()));
    message.insert(message.end(), options.begin(), options.end());
    ++message[11];
    return *this;
  }
};

inline octets option(unsigned code, const octets& value) {
  octets made;
  put16(made, code);
  put16(made, static_cast<unsigned>(value.size()));
  made.insert(made.end(), value.begin(), value.end());
  return made;
}

/// A reply as ldns reads it; records as "owner TTL TYPE RDATA", OPT left out.
struct reply {
  octets wire;
  unsigned code = 0;  // the extended RCODE
  bool aa = false, tc = false, has_opt = false;
  strings answer, authority, additional;
  octets options;

  [[nodiscard]] bool empty() const { return wire.empty(); }
  [[nodiscard]] bool has_question() const { return wire[5] == 1; }
  /// What follows the question.
  [[nodiscard]] octets behind(const query_builder& q) const {
    return {wire.begin() + static_cast<std::ptrdiff_t>(q.message.size()), wire.end()};
  }
};

inline strings texts(const ldns_rr_list* list) {
  strings made;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const std::unique_ptr<char, decltype(&std::free)> text(ldns_rr2str(ldns_rr_list_rr(list, i)), &std::free);
    std::string line(text.get());
    if (line.back() == '\n') line.pop_back();
    for (char& c : line) c = c == '\t' ? ' ' : c;
    if (const auto in = line.find(" IN "); in != std::string::npos) line.erase(in, 3);
    made.push_back(std::move(line));
  }
  return made;
}

inline reply take_apart(octets wire) {
  reply r;
  r.wire = std::move(wire);
  if (r.wire.empty()) return r;
  ldns_pkt* raw = nullptr;
  if (ldns_wire2pkt(&raw, r.wire.data(), r.wire.size()) != LDNS_STATUS_OK) FAIL("the reply is malformed");
  const owned_packet packet(raw);
  r.has_opt = ldns_pkt_edns(raw) != 0;
  r.code = static_cast<unsigned>(ldns_pkt_get_rcode(raw)) | static_cast<unsigned>(ldns_pkt_edns_extended_rcode(raw))
                                                                << 4U;
  r.aa = ldns_pkt_aa(raw) != 0;
  r.tc = ldns_pkt_tc(raw) != 0;
  r.answer = texts(ldns_pkt_answer(raw));
  r.authority = texts(ldns_pkt_authority(raw));
  r.additional = texts(ldns_pkt_additional(raw));
  if (const ldns_rdf* data = ldns_pkt_edns_data(raw)) {
    r.options.assign(ldns_rdf_data(data), ldns_rdf_data(data) + ldns_rdf_size(data));
  }
  return r;
}

inline const identity usual_identity{"e17", "1.0"};

inline reply ask(const zone_set& zones, const choices& chosen, const octets& message, request_context context = {}) {
  return take_apart(respond(zones, chosen, usual_identity, message, context));
}
inline reply ask(const zone_set& zones, const octets& message, request_context context = {}) {
  return ask(zones, {}, message, context);
}

/// Asks the usual zone.
inline reply ask(const query_builder& q, request_context context = {}) {
  static const zone_set zones = usual_zones();
  return ask(zones, q.message, context);
}

}  // namespace nearside::dns
