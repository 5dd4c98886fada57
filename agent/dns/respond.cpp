// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/respond.hpp"

#include <algorithm>
#include <optional>

#include "agent/dns/chaos.hpp"
#include "agent/dns/client.hpp"
#include "agent/dns/lookup.hpp"
#include "agent/dns/message_writer.hpp"
#include "agent/dns/query.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

// Without EDNS a client takes 512 octets (RFC 1035 4.2.1); above 1232 a UDP reply risks fragments (RFC 9715).
constexpr std::size_t min_udp_reply = 512;
constexpr std::size_t max_udp_reply = 1232;
constexpr std::size_t max_tcp_reply = 65'535;
constexpr std::uint16_t option_nsid = 3;
constexpr std::uint16_t option_subnet = 8;

struct counts {
  std::size_t answer = 0, authority = 0, additional = 0;
};

void put_u16(std::vector<std::uint8_t>& octets, std::size_t value) {
  octets.push_back(static_cast<std::uint8_t>(value >> 8U));
  octets.push_back(static_cast<std::uint8_t>(value));
}

/// The OPT record of the reply (RFC 6891 6.1.2); options only where the query was in good order. `scope`: how many bits
/// of the client's prefix the answer depends on.
std::vector<std::uint8_t> make_opt(const edns& asked, const identity& self, rcode code, bool with_options,
                                   std::uint8_t scope) {
  std::vector<std::uint8_t> options;
  if (with_options && asked.subnet) {
    // RFC 7871 7.2.1: FAMILY, SOURCE and ADDRESS as they came.
    const client_subnet& subnet = *asked.subnet;
    put_u16(options, option_subnet);
    put_u16(options, 4 + subnet.address.size());
    put_u16(options, subnet.family);
    options.push_back(subnet.source_prefix);
    options.push_back(scope);
    options.insert(options.end(), subnet.address.begin(), subnet.address.end());
  }
  if (with_options && asked.wants_nsid && !self.id.empty()) {
    put_u16(options, option_nsid);
    put_u16(options, self.id.size());
    options.insert(options.end(), self.id.begin(), self.id.end());
  }
  std::vector<std::uint8_t> opt{0};
  put_u16(opt, rr_type::opt);
  put_u16(opt, max_udp_reply);
  opt.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(code) >> 4U));
  opt.push_back(0);  // the version that we speak
  put_u16(opt, asked.dnssec_ok ? 0x8000 : 0);
  put_u16(opt, options.size());
  opt.insert(opt.end(), options.begin(), options.end());
  return opt;
}

std::size_t limit_of(const query& q, bool tcp) noexcept {
  if (tcp) return max_tcp_reply;
  const std::size_t said = q.edns ? q.edns->udp_size : min_udp_reply;
  return std::clamp(said, min_udp_reply, max_udp_reply);
}

/// Writes sections until they exceed `limit`; nothing: they do.
std::optional<counts> write_sections(message_writer& writer, const sections& s, std::size_t limit) {
  const auto write = [&](const std::vector<placed_rrset>& section) {
    std::size_t records = 0;
    for (const placed_rrset& p : section) {
      if (writer.size() > limit) break;
      if (p.whole_owner)
        records += writer.write_whole_rrset(*p.owner, *p.set, p.ttl);
      else
        records += p.order.empty() ? writer.write_rrset(*p.owner, *p.set, p.ttl, p.first)
                                   : writer.write_rrset(*p.owner, *p.set, p.ttl, p.order);
    }
    return records;
  };
  counts written;
  written.answer = write(s.answer);
  written.authority = write(s.authority);
  written.additional = write(s.additional);
  return writer.size() <= limit ? std::optional(written) : std::nullopt;
}

/// What QTYPEs that no record can have are answered with; nothing: it is a type like others.
std::optional<rcode> refuse_type(std::uint16_t qtype) noexcept {
  switch (qtype) {
    case rr_type::any: return std::nullopt;
    case rr_type::axfr:
    case rr_type::ixfr: return rcode::refused;  // RFC 5936 2.2.1: transfers are not offered
    case rr_type::opt:
    case rr_type::nxname: return rcode::formerr;  // RFC 6891 6.1.1, RFC 9824 3.5
    default: return is_meta_type(qtype) ? std::optional(rcode::notimp) : std::nullopt;
  }
}

/// What to say before anything is looked up; nothing: look it up.
std::optional<rcode> early_code(const query& q) noexcept {
  switch (q.fault) {
    case query_fault::opcode: return rcode::notimp;
    case query_fault::malformed: return rcode::formerr;
    case query_fault::version: return rcode::badvers;
    default: break;
  }
  if (q.asked->qclass != rr_class::in && q.asked->qclass != rr_class::ch) return rcode::refused;
  return refuse_type(q.asked->qtype);
}

}  // namespace

std::vector<std::uint8_t> respond(const zone_set& zones, const choices& chosen, const identity& self,
                                  std::span<const std::uint8_t> message, const request_context& context) {
  const query q = parse_query(message);
  if (q.fault == query_fault::not_ours) return {};

  static const std::optional<client_subnet> no_subnet;
  const client who = client_of(q.edns ? q.edns->subnet : no_subnet, context.client);
  sections found;
  const std::string* chaos = nullptr;
  if (const auto early = early_code(q)) {
    found.code = *early;
  } else if (q.asked->qclass == rr_class::ch) {
    chaos = chaos_text(self, *q.asked);
    found.authoritative = chaos != nullptr;
    found.code = chaos != nullptr ? rcode::noerror : rcode::refused;
  } else {
    const lookup_context asker{{context.random, who.number, context.alternative},
                               {context.client, context.destination, q.edns ? q.edns->subnet : no_subnet},
                               context.map};
    found = lookup(zones, chosen, q.asked->qname, q.asked->qtype, asker);
  }

  message_writer writer;
  if (q.asked) writer.write_question(*q.asked);
  const std::size_t question_end = writer.size();
  std::vector<std::uint8_t> opt;
  if (q.edns) {
    // RFC 7871 7.3.1: what suits every client has scope 0; negative answers always do.
    const std::uint8_t scope = found.scope.value_or(found.by_client ? who.scope : std::uint8_t{0});
    opt = make_opt(*q.edns, self, found.code, q.fault == query_fault::none, scope);
  }

  const std::size_t limit = limit_of(q, context.tcp);
  const rdata text = chaos != nullptr ? text_rdata(*chaos) : rdata();
  if (chaos != nullptr) writer.write_record(q.asked->qname, rr_type::txt, rr_class::ch, 0, text);
  auto written = write_sections(writer, found, limit - opt.size());
  if (written && chaos != nullptr) written->answer = 1;
  const bool truncated = !written;
  if (truncated) writer.shorten(question_end);
  writer.append(opt);

  constexpr unsigned qr = 0x8000, aa = 0x0400, tc = 0x0200, rd = 0x0100, cd = 0x0010;
  unsigned flags = qr | static_cast<unsigned>(q.opcode) << 11U | (static_cast<unsigned>(found.code) & 0x0fU);
  if (found.authoritative) flags |= aa;
  if (truncated) flags |= tc;
  if (q.recursion_desired) flags |= rd;
  if (q.checking_disabled) flags |= cd;
  const counts records = written.value_or(counts{});
  writer.set_u16(0, q.id);
  writer.set_u16(2, static_cast<std::uint16_t>(flags));
  writer.set_u16(4, q.asked ? 1 : 0);
  writer.set_u16(6, static_cast<std::uint16_t>(records.answer));
  writer.set_u16(8, static_cast<std::uint16_t>(records.authority));
  writer.set_u16(10, static_cast<std::uint16_t>(records.additional + (q.edns ? 1U : 0U)));
  return std::move(writer).take();
}

}  // namespace nearside::dns
