// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/lookup.hpp"

#include <algorithm>
#include <array>

#include "agent/dns/lookup_mapped.hpp"
#include "agent/dns/lookup_parts.hpp"
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

/// What the zone has, or where it has nothing what is registered.
const node* find_node(const zone& z, std::span<const std::uint8_t> owner, const mapping* map) {
  const node* written = z.find(owner);
  if (map == nullptr || (written != nullptr && !written->is_empty())) return written;
  const node* registered = map->find(owner);
  return registered != nullptr ? registered : written;
}

place walk(const zone& z, const name& owner, const mapping* map) {
  const label_starts starts(owner);
  const node* closest = z.find(z.apex());
  if (const name* cut = z.cut_above(owner)) return {z.find(*cut), cut};
  std::size_t label = starts.size() - z.apex().labels();
  for (; label > 0; --label) {
    const node* next = find_node(z, owner.wire().subspan(starts[label - 1]), map);
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

/// Which record of an RRset without a pool comes first. The same draw as that of a pool with equal shares.
std::size_t first_of(const rrset& set, const draw_numbers& by) noexcept {
  const std::size_t count = set.alternatives();
  if (by.alternative) return *by.alternative % count;
  return static_cast<std::size_t>((std::uint64_t{by.random} * count) >> 32U);
}

/// A and AAAA RRsets of the name servers that are inside the zone, glue among them; each server once. Not those of a
/// pool: they are only to be had as they are decided at the moment, by asking for them.
void add_addresses(const zone& z, const rrset& servers, sections& s) {
  for (const rdata& target : servers.rdatas) {
    const node* at = z.find(std::span<const std::uint8_t>(target));
    if (at == nullptr) continue;
    const name* owner = z.stored_name(target);
    for (const std::uint16_t type : {rr_type::a, rr_type::aaaa}) {
      const rrset* addresses = at->find(type);
      if (addresses != nullptr && addresses->pool == no_pool)
        s.additional.push_back({owner, addresses, addresses->ttl, 0, {}});
    }
  }
}

/// RFC 1034 4.3.2 step 3b: down to the zone cut, and no further.
void refer(const zone& z, const name& cut, const node& at, sections& s) {
  const rrset& servers = *at.find(rr_type::ns);
  s.authority.push_back({&cut, &servers, servers.ttl, 0, {}});
  if (const rrset* ds = at.find(rr_type::ds)) s.authority.push_back({&cut, ds, ds->ttl, 0, {}});
  add_addresses(z, servers, s);
}

/// The RRset of a node that answers `qtype`; for ANY the one with the lowest type number (RFC 8482 4.1) of those that
/// are not NODATA at the moment.
const rrset* select(const node& at, std::uint16_t qtype, const choices& chosen) noexcept {
  if (qtype != rr_type::any) return at.find(qtype);
  const rrset* lowest = nullptr;
  for (const rrset& set : at.rrsets) {
    const choice* decided = choice_of(chosen, set);
    if (decided != nullptr && decided->what == choice::kind::nodata) continue;
    if (lowest == nullptr || set.type < lowest->type) lowest = &set;
  }
  return lowest;
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

/// The NS RRset at the apex as the parent gives it to this client.
const rrset& servers_of(const zone& z, const rrset& own, const lookup_context& context) {
  if (context.map == nullptr || !z.follows_parent()) return own;
  const rrset* told = context.map->servers_at(z, context.asked);
  return told != nullptr ? *told : own;
}

bool is_answered_already(const sections& s, const name& owner) noexcept {
  return std::any_of(s.answer.begin(), s.answer.end(), [&](const placed_rrset& p) { return *p.owner == owner; });
}

}  // namespace

std::uint32_t pool_of(const zone_set& zones, const name& owner) {
  const zone* z = zones.enclosing(owner);
  const place at = z == nullptr ? place{} : walk(*z, owner, nullptr);
  if (at.found == nullptr || at.cut != nullptr) return no_pool;
  for (const rrset& set : at.found->rrsets)
    if (set.pool != no_pool) return set.pool;
  return no_pool;
}

sections lookup(const zone_set& zones, const choices& chosen, const name& qname, std::uint16_t qtype,
                const lookup_context& context) {
  sections s;
  if (context.map != nullptr && answer_made(qname, qtype, context, s)) return s;
  const zone* z = choose_zone(zones, qname, qtype);
  if (z == nullptr) {
    s.code = rcode::refused;
    return s;
  }
  s.authoritative = true;
  for (const name* owner = &qname;;) {
    if (const name* mapped = context.map != nullptr ? z->mapped_above(*owner) : nullptr) {
      answer_mapped(*z, *mapped, *owner, qtype, chosen, context, s);
      return s;
    }
    const auto [at, cut] = walk(*z, *owner, context.map);
    // DS is the parent's record, so at the cut itself it is answered here (RFC 4035 3.1.4.1).
    if (cut != nullptr && !(qtype == rr_type::ds && *cut == *owner)) {
      // RFC 1034 4.1.1: AA speaks of the first owner in the answer, which is a CNAME of ours if there is one.
      s.authoritative = !s.answer.empty();
      refer(*z, *cut, *at, s);
      return s;
    }
    if (at == nullptr) {
      s.code = rcode::nxdomain;
      say_no(*z, z->apex(), s);
      return s;
    }
    if (const rrset* set = select(*at, qtype, chosen)) {
      if (set->pool != no_pool) {
        answer_from_pool(*z, *owner, *set, choice_of(chosen, *set), context.by, s);
        return s;
      }
      if (set->type == rr_type::ns) set = &servers_of(*z, *set, context);
      s.answer.push_back({owner, set, set->ttl, first_of(*set, context.by), {}});
      if (qtype == rr_type::ns) add_addresses(*z, *set, s);
      return s;
    }
    const rrset* alias = at->find(rr_type::cname);
    if (alias == nullptr) {
      say_no(*z, z->apex(), s);
      return s;
    }
    s.answer.push_back({owner, alias, alias->ttl, 0, {}});
    owner = &s.aliases.emplace_back(name::from_wire(alias->rdatas.front()).value());
    if (s.answer.size() == max_aliases || zones.enclosing(*owner) != z || is_answered_already(s, *owner)) return s;
  }
}

}  // namespace nearside::dns
