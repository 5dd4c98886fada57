// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/explain.hpp"

#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/admin/asker.hpp"
#include "agent/config/addresses.hpp"
#include "agent/dataplane/tables.hpp"
#include "agent/dns/ldns.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::admin {
namespace json = boost::json;

namespace {

struct free_text {
  void operator()(char* p) const noexcept { std::free(p); }
};
using c_text = std::unique_ptr<char, free_text>;

void put16(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

/// ECS (RFC 7871 6): as many octets of the address as the prefix needs.
std::vector<std::uint8_t> subnet_option(const mapping::prefix& client) {
  const auto octets = config::address_octets(client.address);
  const std::size_t needed = (client.length + 7u) / 8u;
  std::vector<std::uint8_t> option;
  put16(option, 8);
  put16(option, static_cast<unsigned>(4 + needed));
  put16(option, client.address.is_v4() ? 1 : 2);
  option.push_back(client.length);
  option.push_back(0);
  option.insert(option.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(needed));
  return option;
}

/// A query as a recursive resolver sends it: class IN, EDNS with the size that we send at most.
std::vector<std::uint8_t> query_for(const dns::name& qname, std::uint16_t qtype,
                                    const std::optional<mapping::prefix>& client) {
  std::vector<std::uint8_t> query;
  for (const unsigned field : {0u, 0u, 1u, 0u, 0u, 1u}) put16(query, field);  // ID, flags, one question, one OPT
  const auto wire = qname.wire();
  query.insert(query.end(), wire.begin(), wire.end());
  put16(query, qtype);
  put16(query, dns::rr_class::in);
  query.push_back(0);  // RFC 6891 6.1.2: the root owns the OPT record
  for (const unsigned field : {unsigned{dns::rr_type::opt}, unsigned{MAX_UDP_REPLY}, 0u, 0u}) put16(query, field);
  const auto option = client ? subnet_option(*client) : std::vector<std::uint8_t>();
  put16(query, static_cast<unsigned>(option.size()));
  query.insert(query.end(), option.begin(), option.end());
  return query;
}

json::array lines_of(const ldns_rr_list* records) {
  json::array lines;
  for (std::size_t i = 0; records != nullptr && i < ldns_rr_list_rr_count(records); ++i) {
    const c_text text(ldns_rr2str(ldns_rr_list_rr(records, i)));
    std::string line(text ? text.get() : "");
    while (!line.empty() && line.back() == '\n') line.pop_back();
    for (char& c : line)
      if (c == '\t') c = ' ';
    lines.emplace_back(line);
  }
  return lines;
}

std::string rcode_text(ldns_pkt_rcode rcode) {
  const c_text text(ldns_pkt_rcode2str(rcode));
  return text ? text.get() : std::to_string(static_cast<int>(rcode));
}

result<json::object> kernel_part(const dataplane::object& tables, const dns::name& qname, std::uint16_t qtype) {
  const auto row = dataplane::find_name(tables, qname);
  if (!row) return row.error();
  const bool installed = row->has_value();
  bool answers = false;
  if (installed && !dns::is_meta_type(qtype))
    answers = dataplane::answers_of(tables, (*row)->set)[dataplane::type_class_of(qtype)].alternatives != 0;
  return json::object{{"installed", installed}, {"answers", answers}};
}

}  // namespace

result<json::object> explain(const serve::content& content, const dataplane::object& tables,
                             const json::object& request) {
  const auto* asked = request.if_contains("name");
  if (asked == nullptr || !asked->is_string()) return error{errc::invalid, "explain: \"name\" is missing"};
  const auto& shown = asked->get_string();
  const auto qname = dns::name::from_text({shown.data(), shown.size()});
  if (!qname) return error{errc::invalid, "explain: " + qname.error().message};
  std::uint16_t qtype = dns::rr_type::a;
  if (const auto* type = request.if_contains("type"); type != nullptr) {
    const auto number = type->is_string() ? dns::type_from_text({type->get_string().data(), type->get_string().size()})
                                          : std::optional<std::uint16_t>();
    if (!number) return error{errc::invalid, "explain: \"type\" is no record type"};
    qtype = *number;
  }

  const auto who = parse_asker(request);
  if (!who) return error{errc::invalid, "explain: " + who.error().message};
  const auto query = query_for(*qname, qtype, who->client);
  const auto reply_by = [&](bool tcp) {
    return dns::respond(*content.zones, *content.choices, content.self, query,
                        {.tcp = tcp,
                         .client = who->resolver,
                         .alternative = 0,
                         .destination = who->destination,
                         .map = content.map.get()});
  };
  const auto whole = reply_by(true);
  const auto datagram = reply_by(false);
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, whole.data(), whole.size()) != LDNS_STATUS_OK)
    return error{errc::system, "explain: the reply could not be read back"};
  const dns::owned_packet reply(parsed);
  auto kernel = kernel_part(tables, *qname, qtype);
  if (!kernel) return kernel.error();

  const auto* zone = content.zones->enclosing(*qname);
  return json::object{{"name", qname->text()},
                      {"type", dns::type_text(qtype)},
                      {"zone", zone == nullptr ? json::value(nullptr) : json::value(zone->apex().text())},
                      {"rcode", rcode_text(ldns_pkt_get_rcode(reply.get()))},
                      {"authoritative", ldns_pkt_aa(reply.get())},
                      {"answer", lines_of(ldns_pkt_answer(reply.get()))},
                      {"authority", lines_of(ldns_pkt_authority(reply.get()))},
                      {"additional", lines_of(ldns_pkt_additional(reply.get()))},
                      {"octets", whole.size()},
                      {"udp_truncated", datagram.size() > 2 && (datagram[2] & 0x02u) != 0},
                      {"kernel", *std::move(kernel)}};
}

}  // namespace nearside::admin
