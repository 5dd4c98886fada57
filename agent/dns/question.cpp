// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/question.hpp"

#include <cstdlib>

namespace nearside::dns {

namespace {

// What crosses the Internet in one piece (DNS flag day 2020).
constexpr std::uint16_t udp_octets = 1232;

}  // namespace

result<question> question::make(const std::string& qname, std::uint16_t qtype) {
  question made;
  made.qname_.reset(ldns_dname_new_frm_str(qname.c_str()));
  if (!made.qname_) return error{errc::invalid, "not a domain name: " + qname};
  ldns_dname2canonical(made.qname_.get());
  made.qtype_ = static_cast<ldns_rr_type>(qtype);

  const owned_packet packet(
      ldns_pkt_query_new(ldns_rdf_clone(made.qname_.get()), made.qtype_, LDNS_RR_CLASS_IN, LDNS_RD));
  ldns_pkt_set_edns_udp_size(packet.get(), udp_octets);
  ldns_pkt_set_id(packet.get(), 0);
  std::uint8_t* wire = nullptr;
  std::size_t octets = 0;
  if (ldns_pkt2wire(&wire, packet.get(), &octets) != LDNS_STATUS_OK)
    return error{errc::invalid, "no query can be made for " + qname};
  made.query_.assign(wire, wire + octets);
  std::free(wire);  // NOLINT(*-no-malloc): ldns's
  return made;
}

std::vector<std::uint8_t> question::query(std::uint16_t id) const {
  auto query = query_;
  query[0] = static_cast<std::uint8_t>(id >> 8);
  query[1] = static_cast<std::uint8_t>(id);
  return query;
}

question::reply question::read(std::span<const std::uint8_t> octets, std::uint16_t id) const {
  const bool answers_us = octets.size() >= LDNS_HEADER_SIZE && octets[0] == (id >> 8) && octets[1] == (id & 0xff) &&
                          (octets[2] & 0x80) != 0;
  if (!answers_us) return {};
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, octets.data(), octets.size()) != LDNS_STATUS_OK) return {true, nullptr};
  owned_packet message(parsed);

  const ldns_rr_list* questions = ldns_pkt_question(parsed);
  if (ldns_rr_list_rr_count(questions) == 1) {
    ldns_rr* asked = ldns_rr_list_rr(questions, 0);
    if (ldns_rr_get_type(asked) != qtype_ || ldns_rr_get_class(asked) != LDNS_RR_CLASS_IN ||
        ldns_dname_compare(ldns_rr_owner(asked), qname_.get()) != 0)
      return {};
  } else if (ldns_pkt_get_rcode(parsed) == LDNS_RCODE_NOERROR) {
    return {};  // servers that refuse or fail may leave the question out
  }
  return {true, std::move(message)};
}

std::string rcode_text(int rcode) {
  const ldns_lookup_table* known = ldns_lookup_by_id(ldns_rcodes, rcode);
  return known != nullptr ? known->name : "RCODE" + std::to_string(rcode);
}

}  // namespace nearside::dns
