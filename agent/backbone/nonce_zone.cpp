// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/nonce_zone.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/backbone/edge_book.hpp"
#include "agent/mapping/nonce.hpp"

namespace nearside::backbone {

using boost::asio::ip::address;
using dns::name;

namespace {

namespace type = dns::rr_type;

constexpr std::uint32_t servers_ttl = 60;  // of the NS and their addresses; all else has TTL 0

address plain(const address& a) {
  if (a.is_v6() && a.to_v6().is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, a.to_v6());
  return a;
}

dns::rdata octets_of(const name& n) { return {n.wire().begin(), n.wire().end()}; }

dns::rrset set_of(std::uint16_t what, std::uint32_t ttl, dns::rdata data) {
  dns::rrset set;
  set.type = what;
  set.ttl = ttl;
  set.rdatas.push_back(std::move(data));
  return set;
}

/// The label that begins at a place of a name, its letters in lower case.
std::string label_at(const name& n, std::size_t start) {
  const auto wire = n.wire();
  std::string label;
  for (const std::uint8_t octet : wire.subspan(start + 1, wire[start]))
    label.push_back(static_cast<char>(dns::lower_octet(octet)));
  return label;
}

/// One label before a name; the labels here are short, and the apex leaves room for them (nonce_zone()).
name below(std::string_view label, const name& above) {
  dns::rdata wire{static_cast<std::uint8_t>(label.size())};
  wire.insert(wire.end(), label.begin(), label.end());
  wire.insert(wire.end(), above.wire().begin(), above.wire().end());
  return name::from_wire(wire).value();
}

}  // namespace

nonce_zone::nonce_zone(nonce_zone_settings settings, mapping::registry& book, clock now)
    : settings_(std::move(settings)), registry_(book), now_(std::move(now)) {
  // A token, a nonce and a family must find room before the apex.
  constexpr std::size_t most_octets = 255 - 64 - 27 - 3;
  if (settings_.apex.wire().size() > most_octets)
    throw failure({errc::invalid, settings_.apex.text() + ": the name is too long for a nonce zone"});
  whole_ = {settings_.apex, settings_.server, {}, "", false};
  for (const bool is_v4 : {true, false}) {
    part family;
    family.label = is_v4 ? "v4" : "v6";
    family.is_v4 = is_v4;
    family.apex = below(family.label, settings_.apex);
    family.server = below("ns", family.apex);
    std::copy_if(settings_.addresses.begin(), settings_.addresses.end(), std::back_inserter(family.addresses),
                 [&](const address& a) { return a.is_v4() == is_v4; });
    if (!family.addresses.empty()) families_.push_back(std::move(family));
  }
}

bool nonce_zone::is_below(std::span<const std::uint8_t> owner) const noexcept {
  const auto wire = settings_.apex.wire();
  const dns::label_starts starts(settings_.apex);
  for (std::size_t label = 1; label <= starts.size(); ++label) {
    if (dns::same_name(wire.subspan(starts[label]), owner)) return true;
  }
  return false;
}

std::shared_ptr<const dns::made_answer> nonce_zone::answer(const name& qname, std::uint16_t qtype,
                                                           const address& source) const {
  if (!qname.is_at_or_below(settings_.apex)) return nullptr;
  const asked q{qname, qtype, plain(source)};
  const dns::label_starts starts(qname);
  std::size_t labels = starts.size() - settings_.apex.labels();  // before the apex
  // DS is the parent's record (RFC 4035 3.1.4.1).
  if (labels == 0 && qtype == type::ds) return nullptr;

  auto to = std::make_shared<made>();
  const part* zone = &whole_;
  if (labels > 0) {
    const std::string last = label_at(qname, starts[labels - 1]);
    const auto family =
        std::find_if(families_.begin(), families_.end(), [&](const part& p) { return p.label == last; });
    const bool is_parents = labels == 1 && qtype == type::ds;
    if (family != families_.end() && is_parents) {
      say_no(whole_, *to);
      return to;
    }
    if (family != families_.end()) {
      zone = &*family;
      --labels;
    }
  }
  if (!zone->label.empty() && zone->is_v4 != q.source.is_v4())
    refer(*zone, *to);
  else if (labels == 0)
    answer_at_apex(*zone, q, *to);
  else
    answer_below(*zone, q, labels, *to);
  return to;
}

void nonce_zone::answer_at_apex(const part& zone, const asked& q, made& to) const {
  // ANY: the RRset with the lowest type number (RFC 8482 4.1).
  if (q.qtype == type::ns || q.qtype == type::any) {
    to.answer.push_back({q.qname, set_of(type::ns, servers_ttl, octets_of(zone.server))});
    to.additional = addresses_of(zone);
  } else if (q.qtype == type::soa) {
    to.answer.push_back({q.qname, soa_of(zone)});
  } else {
    say_no(zone, to);
  }
}

void nonce_zone::answer_below(const part& zone, const asked& q, std::size_t labels, made& to) const {
  if (!zone.label.empty() && q.qname == zone.server) {
    for (auto& [owner, records] : addresses_of(zone)) {
      if (records.type == q.qtype || q.qtype == type::any) to.answer.push_back({q.qname, std::move(records)});
    }
    if (to.answer.empty()) say_no(zone, to);
    return;
  }
  const dns::label_starts starts(q.qname);
  const std::string label = label_at(q.qname, starts[labels - 1]);
  const auto nonce = labels <= 2 ? registry_.verified(label) : std::nullopt;
  if (!nonce) {
    tell(zone, q, q.source, to);
    return;
  }
  if (labels == 1) {
    // The name with the token is not answered along with this: it must be asked for by who has received it.
    const std::string token = mapping::token_of(label, q.source, settings_.master, now_());
    to.answer.push_back({q.qname, set_of(type::cname, 0, octets_of(below(token, below(label, zone.apex))))});
    return;
  }
  const auto egress = mapping::source_of(label_at(q.qname, starts[0]), label, settings_.master, now_());
  if (!egress) {
    to.code = dns::rcode::nxdomain;
    say_no(zone, to);
    return;
  }
  // Of a farm another member may ask for the second name: what is proved is who received the first answer.
  registry_.sighted(*nonce, *egress, now_());
  tell(zone, q, *egress, to);
}

/// A or AAAA, and TXT.
void nonce_zone::tell(const part& zone, const asked& q, const address& what, made& to) const {
  const std::uint16_t own = what.is_v4() ? type::a : type::aaaa;
  if (q.qtype == own || q.qtype == type::any) {
    dns::node addresses = node_of(std::span(&what, 1), 0);
    to.answer.push_back({q.qname, std::move(addresses.rrsets.front())});
  } else if (q.qtype == type::txt) {
    const std::string text = what.to_string();
    dns::rdata data{static_cast<std::uint8_t>(text.size())};
    data.insert(data.end(), text.begin(), text.end());
    to.answer.push_back({q.qname, set_of(type::txt, 0, std::move(data))});
  } else {
    say_no(zone, to);
  }
}

void nonce_zone::refer(const part& zone, made& to) const {
  to.authoritative = false;
  to.authority.push_back({zone.apex, set_of(type::ns, servers_ttl, octets_of(zone.server))});
  to.additional = addresses_of(zone);
}

void nonce_zone::say_no(const part& zone, made& to) const { to.authority.push_back({zone.apex, soa_of(zone)}); }

/// All its times are short, its MINIMUM is 0: what a name answers is of the moment.
dns::rrset nonce_zone::soa_of(const part& zone) const {
  dns::rdata data = octets_of(zone.server);
  data.insert(data.end(), settings_.mailbox.wire().begin(), settings_.mailbox.wire().end());
  for (const std::uint32_t number : {1U, 3600U, 600U, 604'800U, 0U}) {
    for (int shift = 24; shift >= 0; shift -= 8) data.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return set_of(type::soa, 0, std::move(data));
}

std::vector<dns::made_answer::record_set> nonce_zone::addresses_of(const part& zone) const {
  std::vector<made::record_set> sets;
  for (dns::rrset& records : node_of(zone.addresses, servers_ttl).rrsets)
    sets.push_back({zone.server, std::move(records)});
  return sets;
}

}  // namespace nearside::backbone
