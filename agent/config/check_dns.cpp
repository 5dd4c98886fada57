// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/check_dns.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "agent/config/wording.hpp"
#include "agent/dns/ldns.hpp"
#include "agent/dns/name.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::config {
namespace {

constexpr std::size_t most_rdata = 64;
constexpr std::size_t longest_rdata = 1024;

// By number (RFC 6895 2.3).
constexpr std::array<std::string_view, 11> rcodes{"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                                  "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};

/// What is wrong with RDATA in presentation format; empty: nothing.
std::string fault_in(const std::string& rdata, std::uint16_t type) {
  const bool printable = std::all_of(rdata.begin(), rdata.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
  if (rdata.empty() || rdata.size() > longest_rdata || !printable)
    return "1 to " + std::to_string(longest_rdata) + " printable octets";
  ldns_rr* made = nullptr;
  const std::string text = ". 0 IN " + dns::type_text(type) + " " + rdata;
  const ldns_status status = ldns_rr_new_frm_str(&made, text.c_str(), 0, nullptr, nullptr);
  const dns::owned_rr owner(made);
  return status == LDNS_STATUS_OK ? std::string() : ldns_get_errorstr_by_id(status);
}

void read_rdata(table_reader& table, check& c) {
  const auto rdata = table.texts("rdata");
  if (!rdata) return;
  if (rdata->value.size() > most_rdata) {
    table.complain(
        "rdata", rdata->at,
        "expected at most " + std::to_string(most_rdata) + " RDATA, found " + std::to_string(rdata->value.size()));
    return;
  }
  if (!rdata->value.empty() && c.rcode != 0) {
    table.complain("rdata", rdata->at,
                   "expected none with the rcode " + in_quotes(rcodes.at(c.rcode)) + ", which has no answer");
  }
  for (const auto& text : rdata->value) {
    if (const std::string fault = fault_in(text.value, c.qtype); !fault.empty()) {
      table.complain("rdata", text.at,
                     "expected the RDATA of " + dns::type_text(c.qtype) + " in presentation format, found " +
                         in_quotes(text.value) + ": " + fault);
    }
    c.rdata.push_back(text.value);
  }
}

}  // namespace

void read_dns(table_reader& table, check& c) {
  if (const auto qname = table.text("qname")) {
    if (const auto name = dns::name::from_text(qname->value))
      c.qname = name->text();
    else
      table.complain("qname", qname->at,
                     "expected a domain name, found " + in_quotes(qname->value) + ": " + name.error().message);
  }
  if (const auto qtype = table.text("qtype")) {
    const auto type = dns::type_from_text(qtype->value);
    if (type && *type != 0 && !dns::is_meta_type(*type))
      c.qtype = *type;
    else
      table.complain("qtype", qtype->at,
                     R"(expected a type of records such as "A" or "SOA", found )" + in_quotes(qtype->value));
  }
  if (const auto rcode = table.one_of("rcode", rcodes)) c.rcode = static_cast<std::uint8_t>(*rcode);
  read_rdata(table, c);
}

}  // namespace nearside::config
