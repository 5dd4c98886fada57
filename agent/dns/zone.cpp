// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/zone.hpp"

#include <algorithm>

#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

constexpr std::size_t max_alternatives = 255;  // the kernel counts them in one octet
// Of the 65,535 octets of a message, what header, question and OPT with its options may take is left out.
constexpr std::size_t max_rrset_octets = 65'535 - 1'024;
constexpr std::size_t rr_overhead = 12;  // owner as a pointer, type, class, TTL, RDLENGTH

error refuse(const name& owner, std::uint16_t type, std::string_view why) {
  return {errc::invalid, owner.text() + "/" + type_text(type) + ": " + std::string(why)};
}

/// Names in RDATA are compared without regard to case, all else octet by octet (RFC 3597 6).
bool same_rdata(std::uint16_t type, const rdata& a, const rdata& b) noexcept {
  const auto at = rdata_name_at(type);
  if (!at || type == rr_type::svcb || type == rr_type::https || a.size() < *at || b.size() < *at) return a == b;
  const std::span<const std::uint8_t> x(a);
  const std::span<const std::uint8_t> y(b);
  return std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(*at), y.begin()) &&
         same_name(x.subspan(*at), y.subspan(*at));
}

bool has_address(const node* at) noexcept {
  return at != nullptr && (at->find(rr_type::a) != nullptr || at->find(rr_type::aaaa) != nullptr);
}

}  // namespace

std::size_t rrset::alternatives() const noexcept {
  return balanced ? std::clamp<std::size_t>(rdatas.size(), 1, max_alternatives) : 1;
}

const rrset* node::find(std::uint16_t type) const noexcept {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const rrset& set) { return set.type == type; });
  return found != rrsets.end() ? &*found : nullptr;
}

zone::zone(name apex) : apex_(std::move(apex)) { nodes_.try_emplace(apex_); }

node& zone::node_at(const name& owner) {
  const auto [entry, fresh] = nodes_.try_emplace(owner);
  // The names between a new one and the apex exist as well, if only as empty non-terminals (RFC 8020, RFC 4592 2.2.2).
  if (fresh) {
    for (name above = owner.parent(); nodes_.try_emplace(above).second;) above = above.parent();
  }
  return nodes_.find(owner)->second;
}

result<void> zone::add(const name& owner, std::uint16_t type, std::uint32_t ttl, rdata data) {
  constexpr std::uint32_t max_ttl = 0x7fffffff;  // RFC 2181 8
  if (!owner.is_at_or_below(apex_)) return refuse(owner, type, "is out of the zone " + apex_.text());
  if (type == 0 || is_meta_type(type)) return refuse(owner, type, "no record can have this type");
  if (is_unserved_type(type)) return refuse(owner, type, "DNSSEC records (but DS) and DNAME are not served");
  if (ttl > max_ttl) return refuse(owner, type, "TTL " + std::to_string(ttl) + " is more than 2147483647");
  if (!is_well_formed(type, data)) return refuse(owner, type, "the RDATA are malformed");
  if (type == rr_type::soa && owner != apex_) return refuse(owner, type, "an SOA stands only at " + apex_.text());
  if (type == rr_type::ns && owner.is_wildcard()) return refuse(owner, type, "a wildcard cannot be a zone cut");

  node& at = node_at(owner);
  auto set = std::find_if(at.rrsets.begin(), at.rrsets.end(), [&](const rrset& s) { return s.type == type; });
  if (set == at.rrsets.end()) {
    const bool with_cname = at.find(rr_type::cname) != nullptr;
    if (with_cname || (type == rr_type::cname && !at.rrsets.empty())) {
      return refuse(owner, type, "a CNAME cannot stand beside other records");
    }
    if (type == rr_type::ns && owner != apex_) ++cuts_;
    at.rrsets.push_back({type, ttl, false, {}, no_pool});
    at.rrsets.back().rdatas.push_back(std::move(data));
    return {};
  }
  std::size_t octets = rr_overhead + data.size();
  for (const rdata& present : set->rdatas) {
    if (same_rdata(type, present, data)) return {};
    octets += rr_overhead + present.size();
  }
  if (type == rr_type::soa || type == rr_type::cname) return refuse(owner, type, "there can be only one");
  if (set->ttl != ttl) {
    return refuse(owner, type,
                  "TTL " + std::to_string(ttl) + " differs from " + std::to_string(set->ttl) +
                      " of another record of this RRset");
  }
  if (octets > max_rrset_octets) {
    return error{errc::exhausted, owner.text() + "/" + type_text(type) + ": the RRset does not fit in a message"};
  }
  set->rdatas.push_back(std::move(data));
  return {};
}

void zone::balance(const name& owner, std::uint32_t pool) {
  const auto found = nodes_.find(owner);
  if (found == nodes_.end()) return;
  for (rrset& set : found->second.rrsets) {
    if (set.type == rr_type::a || set.type == rr_type::aaaa) set.pool = pool;
  }
}

result<void> zone::map(const name& owner, std::uint32_t number) {
  const auto refused = [&](const std::string& why) { return error{errc::invalid, owner.text() + ": " + why}; };
  if (owner == apex_ || !owner.is_at_or_below(apex_)) return refused("a zone cut lies below " + apex_.text());
  if (owner.is_wildcard()) return refused("a wildcard cannot be a zone cut");
  if (const name* cut = cut_above(owner)) return refused("lies in the delegation of " + cut->text());
  if (const name* above = mapped_above(owner)) return refused("lies in the mapped name " + above->text());
  node& at = node_at(owner);
  for (const rrset& set : at.rrsets) {
    if (set.type != rr_type::a && set.type != rr_type::aaaa)
      return refused("its servers answer for it, so it cannot have " + type_text(set.type) + " records");
  }
  at.mapped = number;
  ++mapped_;
  return {};
}

void zone::balance_several() noexcept {
  for (auto& [owner, at] : nodes_) {
    for (rrset& set : at.rrsets) {
      if ((set.type == rr_type::a || set.type == rr_type::aaaa) && set.rdatas.size() > 1) set.balanced = true;
    }
  }
}

result<void> zone::check() const {
  const node& top = *find(apex_);
  const auto missing = [&](std::string_view what) {
    return error{errc::invalid, "zone " + apex_.text() + ": " + std::string(what)};
  };
  if (top.find(rr_type::soa) == nullptr) return missing("there is no SOA record");
  if (top.find(rr_type::ns) == nullptr) return missing("there is no NS record");
  for (const auto& [owner, at] : nodes_) {
    if (const name* mapped = mapped_above(owner); mapped != nullptr && *mapped != owner)
      return error{errc::invalid,
                   owner.text() + ": lies below the mapped name " + mapped->text() + ", whose servers answer for it"};
    const rrset* servers = at.find(rr_type::ns);
    if (servers == nullptr) {
      if (at.find(rr_type::ds) != nullptr)
        return refuse(owner, rr_type::ds, "a DS stands only beside NS at a zone cut");
      continue;
    }
    const bool is_apex = &at == &top;
    if (is_apex && at.find(rr_type::ds) != nullptr) return refuse(owner, rr_type::ds, "belongs into the parent zone");
    for (const rdata& target : servers->rdatas) {
      const name server = name::from_wire(target).value();
      if (!server.is_at_or_below(owner) || has_address(find(server))) continue;
      return refuse(owner, rr_type::ns, server.text() + " is inside the zone and has no address");
    }
  }
  return {};
}

const rrset& zone::soa() const {
  const rrset* set = find(apex_)->find(rr_type::soa);
  if (set == nullptr) throw failure({errc::invalid, "zone " + apex_.text() + ": there is no SOA record"});
  return *set;
}

std::uint32_t zone::negative_ttl() const {
  const rrset& set = soa();
  const rdata& octets = set.rdatas.front();
  std::uint32_t minimum = 0;
  for (std::size_t i = octets.size() - 4; i < octets.size(); ++i) minimum = (minimum << 8U) | octets[i];
  return std::min(set.ttl, minimum);
}

const node* zone::find(std::span<const std::uint8_t> owner) const noexcept {
  const auto found = nodes_.find(owner);
  return found != nodes_.end() ? &found->second : nullptr;
}

const name* zone::stored_name(std::span<const std::uint8_t> owner) const noexcept {
  const auto found = nodes_.find(owner);
  return found != nodes_.end() ? &found->first : nullptr;
}

/// The name at or above `owner` and below the apex, the highest first, whose node passes the test.
template <typename Test>
const name* zone::highest(const name& owner, Test test) const noexcept {
  if (!owner.is_at_or_below(apex_)) return nullptr;
  const label_starts starts(owner);
  for (std::size_t label = starts.size() - apex_.labels(); label-- > 0;) {
    const auto found = nodes_.find(owner.wire().subspan(starts[label]));
    if (found == nodes_.end()) return nullptr;
    if (test(found->second)) return &found->first;
  }
  return nullptr;
}

const name* zone::cut_above(const name& owner) const noexcept {
  if (cuts_ == 0) return nullptr;
  return highest(owner, [](const node& at) { return at.find(rr_type::ns) != nullptr; });
}

const name* zone::mapped_above(const name& owner) const noexcept {
  if (mapped_ == 0) return nullptr;
  return highest(owner, [](const node& at) { return at.mapped != no_mapped; });
}

void zone::for_each(const std::function<void(const name&, const node&)>& visit) const {
  for (const auto& [owner, at] : nodes_) visit(owner, at);
}

result<void> zone_set::add(zone z) {
  if (!by_apex_.try_emplace(z.apex(), zones_.size()).second) {
    return error{errc::invalid, "zone " + z.apex().text() + ": is there already"};
  }
  most_labels_ = std::max(most_labels_, z.apex().labels());
  zones_.push_back(std::move(z));
  return {};
}

const zone* zone_set::enclosing(const name& owner) const noexcept {
  const label_starts starts(owner);
  std::size_t label = starts.size() > most_labels_ ? starts.size() - most_labels_ : 0;
  for (; label <= starts.size(); ++label) {
    const auto found = by_apex_.find(owner.wire().subspan(starts[label]));
    if (found != by_apex_.end()) return &zones_[found->second];
  }
  return nullptr;
}

}  // namespace nearside::dns
