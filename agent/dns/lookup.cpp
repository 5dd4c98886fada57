// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/lookup.hpp"

#include <algorithm>
#include <array>

#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

constexpr std::size_t max_aliases = 8;

/// Where the walk from the apex down to a name ends.
struct place {
  const node* found =
      nullptr;                // the name's node, or that of the wildcard it is synthesised from; nullptr: no such name
  const name* cut = nullptr;  // the zone cut at or above the name, if there is one
};

place walk(const zone& z, const name& owner) {
  const label_starts starts(owner);
  const node* closest = z.find(z.apex());
  if (const name* cut = z.cut_above(owner)) return {z.find(*cut), cut};
  std::size_t label = starts.size() - z.apex().labels();
  for (; label > 0; --label) {
    const node* next = z.find(owner.wire().subspan(starts[label - 1]));
    if (next == nullptr) break;
    closest = next;
  }
  if (label == 0) return {closest, nullptr};
  // RFC 4592 3.3.1: the source of synthesis is the wildcard right below the closest encloser, or there is none.
  std::array<std::uint8_t, 257> source{1, '*'};
  const auto encloser = owner.wire().subspan(starts[label]);
  std::copy(encloser.begin(), encloser.end(), source.begin() + 2);
  return {z.find(std::span(source).first(2 + encloser.size())), nullptr};
}

/// RFC 2308 2 and 5: the SOA with the TTL that the negative answer may be kept.
void say_no(const zone& z, sections& s) { s.authority.push_back({&z.apex(), &z.soa(), z.negative_ttl(), 0}); }

/// A and AAAA RRsets of the name servers that are inside the zone, glue among them; each server once.
void add_addresses(const zone& z, const rrset& servers, sections& s) {
  for (const rdata& target : servers.rdatas) {
    const node* at = z.find(std::span<const std::uint8_t>(target));
    if (at == nullptr) continue;
    const name* owner = z.stored_name(target);
    for (const std::uint16_t type : {rr_type::a, rr_type::aaaa}) {
      if (const rrset* addresses = at->find(type)) s.additional.push_back({owner, addresses, addresses->ttl, 0});
    }
  }
}

/// RFC 1034 4.3.2 step 3b: down to the zone cut, and no further.
void refer(const zone& z, const name& cut, const node& at, sections& s) {
  const rrset& servers = *at.find(rr_type::ns);
  s.authority.push_back({&cut, &servers, servers.ttl, 0});
  if (const rrset* ds = at.find(rr_type::ds)) s.authority.push_back({&cut, ds, ds->ttl, 0});
  add_addresses(z, servers, s);
}

/// The RRset of a node that answers `qtype`; for ANY the one with the lowest type number (RFC 8482 4.1).
const rrset* select(const node& at, std::uint16_t qtype) noexcept {
  if (qtype != rr_type::any) return at.find(qtype);
  const auto lowest = std::min_element(at.rrsets.begin(), at.rrsets.end(),
                                       [](const rrset& a, const rrset& b) { return a.type < b.type; });
  return lowest != at.rrsets.end() ? &*lowest : nullptr;
}

/// The zone that answers: the enclosing one, but for DS at its apex the parent that holds the delegation (RFC
/// 4035 3.1.4.1).
const zone* choose_zone(const zone_set& zones, const name& qname, std::uint16_t qtype) noexcept {
  const zone* z = zones.enclosing(qname);
  if (z == nullptr || qtype != rr_type::ds || qname.is_root() || qname != z->apex()) return z;
  const zone* parent = zones.enclosing(qname.parent());
  if (parent == nullptr) return z;
  const name* cut = parent->cut_above(qname);
  return cut != nullptr && *cut == qname ? parent : z;
}

bool is_answered_already(const sections& s, const name& owner) noexcept {
  return std::any_of(s.answer.begin(), s.answer.end(), [&](const placed_rrset& p) { return *p.owner == owner; });
}

}  // namespace

sections lookup(const zone_set& zones, const name& qname, std::uint16_t qtype, std::uint32_t pick) {
  sections s;
  const zone* z = choose_zone(zones, qname, qtype);
  if (z == nullptr) {
    s.code = rcode::refused;
    return s;
  }
  s.authoritative = true;
  for (const name* owner = &qname;;) {
    const auto [at, cut] = walk(*z, *owner);
    // DS is the parent's record, so at the cut itself it is answered here (RFC 4035 3.1.4.1).
    if (cut != nullptr && !(qtype == rr_type::ds && *cut == *owner)) {
      // RFC 1034 4.1.1: AA speaks of the first owner in the answer, which is a CNAME of ours if there is one.
      s.authoritative = !s.answer.empty();
      refer(*z, *cut, *at, s);
      return s;
    }
    if (at == nullptr) {
      s.code = rcode::nxdomain;
      say_no(*z, s);
      return s;
    }
    if (const rrset* set = select(*at, qtype)) {
      s.answer.push_back({owner, set, set->ttl, pick % set->alternatives()});
      if (qtype == rr_type::ns) add_addresses(*z, *set, s);
      return s;
    }
    const rrset* alias = at->find(rr_type::cname);
    if (alias == nullptr) {
      say_no(*z, s);
      return s;
    }
    s.answer.push_back({owner, alias, alias->ttl, 0});
    owner = &s.aliases.emplace_back(name::from_wire(alias->rdatas.front()).value());
    if (s.answer.size() == max_aliases || zones.enclosing(*owner) != z || is_answered_already(s, *owner)) return s;
  }
}

}  // namespace nearside::dns
