// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/dns_question.hpp"

#include <algorithm>
#include <cstdlib>

namespace nearside::probe {

namespace {

bool same_rdata(const ldns_rr* one, const ldns_rr* other) {
  if (ldns_rr_get_type(one) != ldns_rr_get_type(other) || ldns_rr_rd_count(one) != ldns_rr_rd_count(other))
    return false;
  for (std::size_t i = 0; i < ldns_rr_rd_count(one); ++i)
    if (ldns_rdf_compare(ldns_rr_rdf(one, i), ldns_rr_rdf(other, i)) != 0) return false;
  return true;
}

}  // namespace

result<dns_question> dns_question::make(const config::check& check) {
  auto question = dns::question::make(check.qname, check.qtype);
  if (!question) return error{errc::invalid, "qname: " + question.error().message};
  dns_question made(std::move(*question), check.rcode);

  const std::string type = std::string(" 0 IN ");
  char* mnemonic = ldns_rr_type2str(static_cast<ldns_rr_type>(check.qtype));
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
  return made;
}

dns_question::judgement dns_question::judge(std::span<const std::uint8_t> octets, std::uint16_t id) const {
  const auto [ours, message] = question_.read(octets, id);
  if (!ours) return {};
  if (!message) return {true, trouble{cause::answer, "dns: malformed reply"}};
  const int rcode = ldns_pkt_get_rcode(message.get());
  if (rcode != rcode_) return {true, trouble{cause::answer, "dns " + dns::rcode_text(rcode)}};

  ldns_rr_list* answers = ldns_pkt_answer(message.get());
  ldns_rr_list2canonical(answers);
  const auto is_there = [answers](const dns::owned_rr& expected) {
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i)
      if (same_rdata(ldns_rr_list_rr(answers, i), expected.get())) return true;
    return false;
  };
  if (std::ranges::all_of(rdata_, is_there)) return {true, std::nullopt};
  return {true, trouble{cause::answer, ldns_pkt_tc(message.get()) ? "dns: truncated" : "dns: no expected rdata"}};
}

}  // namespace nearside::probe
