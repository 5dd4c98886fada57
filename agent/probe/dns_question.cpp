// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/dns_question.hpp"

#include <algorithm>
#include <cstdlib>

namespace nearside::probe {

namespace {

// What crosses the Internet in one piece (DNS flag day 2020).
constexpr std::uint16_t udp_octets = 1232;

bool same_rdata(const ldns_rr* one, const ldns_rr* other) {
  if (ldns_rr_get_type(one) != ldns_rr_get_type(other) || ldns_rr_rd_count(one) != ldns_rr_rd_count(other))
    return false;
  for (std::size_t i = 0; i < ldns_rr_rd_count(one); ++i)
    if (ldns_rdf_compare(ldns_rr_rdf(one, i), ldns_rr_rdf(other, i)) != 0) return false;
  return true;
}

std::string rcode_text(int rcode) {
  const ldns_lookup_table* known = ldns_lookup_by_id(ldns_rcodes, rcode);
  return known != nullptr ? known->name : "RCODE" + std::to_string(rcode);
}

}  // namespace

result<dns_question> dns_question::make(const config::check& check) {
  dns_question made;
  made.qname_.reset(ldns_dname_new_frm_str(check.qname.c_str()));
  if (!made.qname_) return error{errc::invalid, "qname: not a domain name: " + check.qname};
  ldns_dname2canonical(made.qname_.get());
  made.qtype_ = static_cast<ldns_rr_type>(check.qtype);
  made.rcode_ = check.rcode;

  const std::string type = std::string(" 0 IN ");
  char* mnemonic = ldns_rr_type2str(made.qtype_);
  const std::string prefix = "." + type + mnemonic + " ";
  std::free(mnemonic);  // NOLINT(*-no-malloc): ldns's
  for (const std::string& text : check.rdata) {
    ldns_rr* expected = nullptr;
    if (const auto status = ldns_rr_new_frm_str(&expected, (prefix + text).c_str(), 0, nullptr, nullptr);
        status != LDNS_STATUS_OK)
      return error{errc::invalid, "rdata: " + text + ": " + ldns_get_errorstr_by_id(status)};
    ldns_rr2canonical(expected);
    made.rdata_.emplace_back(expected);
  }

  const dns::owned_packet packet(
      ldns_pkt_query_new(ldns_rdf_clone(made.qname_.get()), made.qtype_, LDNS_RR_CLASS_IN, LDNS_RD));
  ldns_pkt_set_edns_udp_size(packet.get(), udp_octets);
  ldns_pkt_set_id(packet.get(), 0);
  std::uint8_t* wire = nullptr;
  std::size_t octets = 0;
  if (ldns_pkt2wire(&wire, packet.get(), &octets) != LDNS_STATUS_OK)
    return error{errc::invalid, "no query can be made for " + check.qname};
  made.query_.assign(wire, wire + octets);
  std::free(wire);  // NOLINT(*-no-malloc): ldns's
  return made;
}

std::vector<std::uint8_t> dns_question::query(std::uint16_t id) const {
  auto query = query_;
  query[0] = static_cast<std::uint8_t>(id >> 8);
  query[1] = static_cast<std::uint8_t>(id);
  return query;
}

dns_question::judgement dns_question::judge(std::span<const std::uint8_t> octets, std::uint16_t id) const {
  const bool answers_us = octets.size() >= LDNS_HEADER_SIZE && octets[0] == (id >> 8) && octets[1] == (id & 0xff) &&
                          (octets[2] & 0x80) != 0;
  if (!answers_us) return {};
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, octets.data(), octets.size()) != LDNS_STATUS_OK)
    return {true, trouble{cause::answer, "dns: malformed reply"}};
  const dns::owned_packet reply(parsed);

  const int rcode = ldns_pkt_get_rcode(parsed);
  const ldns_rr_list* questions = ldns_pkt_question(parsed);
  if (ldns_rr_list_rr_count(questions) == 1) {
    ldns_rr* question = ldns_rr_list_rr(questions, 0);
    if (ldns_rr_get_type(question) != qtype_ || ldns_rr_get_class(question) != LDNS_RR_CLASS_IN ||
        ldns_dname_compare(ldns_rr_owner(question), qname_.get()) != 0)
      return {};
  } else if (rcode == LDNS_RCODE_NOERROR) {
    return {};  // servers that refuse or fail may leave the question out
  }
  if (rcode != rcode_) return {true, trouble{cause::answer, "dns " + rcode_text(rcode)}};

  ldns_rr_list* answers = ldns_pkt_answer(parsed);
  ldns_rr_list2canonical(answers);
  const auto is_there = [answers](const dns::owned_rr& expected) {
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i)
      if (same_rdata(ldns_rr_list_rr(answers, i), expected.get())) return true;
    return false;
  };
  if (std::ranges::all_of(rdata_, is_there)) return {true, std::nullopt};
  return {true, trouble{cause::answer, ldns_pkt_tc(parsed) ? "dns: truncated" : "dns: no expected rdata"}};
}

}  // namespace nearside::probe
