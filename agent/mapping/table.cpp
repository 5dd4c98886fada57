// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/table.hpp"

#include <algorithm>

namespace nearside::mapping {
namespace {

using boost::asio::ip::address;

constexpr std::uint64_t mask_of(std::uint8_t length) { return length == 0 ? 0 : ~std::uint64_t{0} << (64U - length); }

/// The first 64 bits of the address; IPv4 at the high end.
std::uint64_t bits_of(const address& of) {
  if (of.is_v4()) return std::uint64_t{of.to_v4().to_uint()} << 32U;
  std::uint64_t bits = 0;
  const auto octets = of.to_v6().to_bytes();
  for (std::size_t i = 0; i < 8; ++i) bits = bits << 8U | octets[i];
  return bits;
}

}  // namespace

table::table(name_of names) : names_(std::move(names)) {}

const row* table::find(const family& in, std::uint64_t bits, std::uint8_t longest) const {
  for (const std::uint8_t length : in.lengths) {
    if (length > longest) continue;
    const auto& rows = in.by_length[length];
    if (const auto found = rows.find(bits & mask_of(length)); found != rows.end())
      return &slots_[found->second].content;
  }
  return nullptr;
}

const row* table::find(const address& asked) const { return find(prefix_of(asked, 128)); }

const row* table::find(const prefix& client) const {
  return find(family_of(client), bits_of(client.address), client.length);
}

std::optional<std::uint32_t> table::number_at(const prefix& who) const {
  if (who.length > most_ipv6) return std::nullopt;
  const auto& rows = family_of(who).by_length[who.length];
  const auto found = rows.find(bits_of(who.address));
  return found == rows.end() ? std::nullopt : std::optional(found->second);
}

const row* table::at(const prefix& who) const {
  const auto number = number_at(who);
  return number ? &slots_[*number].content : nullptr;
}

std::uint32_t table::number_for(const prefix& who) {
  if (const auto known = number_at(who)) return *known;
  auto number = static_cast<std::uint32_t>(slots_.size());
  if (free_slots_.empty()) {
    slots_.emplace_back();
  } else {
    number = free_slots_.back();
    free_slots_.pop_back();
  }
  slot& added = slots_[number];
  added.content.who = who;
  family& in = family_of(who);
  auto& rows = in.by_length[who.length];
  if (rows.empty())
    in.lengths.insert(std::lower_bound(in.lengths.begin(), in.lengths.end(), who.length, std::greater<>()), who.length);
  rows.emplace(bits_of(who.address), number);
  if (const auto was = gone_.find(who); was != gone_.end()) {
    added.told = was->second;
    gone_.erase(was);
    note(number);
  }
  return number;
}

void table::remove(std::uint32_t number) {
  slot& old = slots_[number];
  const prefix& who = old.content.who;
  sites_.let_go(old.content.site);
  if (old.told != not_told) gone_.emplace(who, old.told);
  family& in = family_of(who);
  auto& rows = in.by_length[who.length];
  rows.erase(bits_of(who.address));
  if (rows.empty()) {
    rows = std::remove_reference_t<decltype(rows)>();  // {} would keep the buckets
    in.lengths.erase(std::find(in.lengths.begin(), in.lengths.end(), who.length));
  }
  old = {};
  free_slots_.push_back(number);
}

bool table::before(const claim& a, const claim& b) const {
  if (a.from != b.from) return a.from < b.from;
  if (a.rtt != b.rtt) return a.rtt && (!b.rtt || *a.rtt < *b.rtt);
  if (a.rank != b.rank) return a.rank < b.rank;
  return a.edge != b.edge && names_(a.edge) < names_(b.edge);
}

void table::note(std::uint32_t number) {
  if (slots_[number].changed) return;
  slots_[number].changed = true;
  changed_.push_back(number);
}

/// Gives the row the site of its claims as they are.
void table::bind(std::uint32_t number) {
  row& of = slots_[number].content;
  std::array<edge_id, most_edges_in_row> edges{};
  std::size_t count = 0;
  for (const claim& c : of.claims) {
    // An edge may be in the row twice: proved, and by the operator's table.
    if (std::find(edges.begin(), edges.begin() + count, c.edge) != edges.begin() + count) continue;
    edges[count++] = c.edge;
    if (count == edges.size()) break;
  }
  const auto now = std::span(edges).first(count);
  const auto was = sites_.edges_of(of.site);
  if (std::equal(now.begin(), now.end(), was.begin(), was.end())) return;
  const site_id site = sites_.hold(now);
  if (of.site != default_site) sites_.let_go(of.site);
  of.site = site;
  note(number);
}

bool table::put(const prefix& who, const claim& c) {
  if (who.length > most_ipv6) return false;
  const std::uint32_t number = number_for(who);
  auto& claims = slots_[number].content.claims;
  const auto known = std::find_if(claims.begin(), claims.end(),
                                  [&](const claim& old) { return old.edge == c.edge && old.from == c.from; });
  if (known != claims.end()) {
    if (known->rtt == c.rtt && known->rank == c.rank) {
      *known = c;
      return true;
    }
    claims.erase(known);
  }
  claims.insert(
      std::upper_bound(claims.begin(), claims.end(), c, [&](const claim& a, const claim& b) { return before(a, b); }),
      c);
  bind(number);
  return true;
}

void table::erase(const prefix& who, edge_id edge, source from) {
  const auto number = number_at(who);
  if (!number) return;
  auto& claims = slots_[*number].content.claims;
  const auto found =
      std::find_if(claims.begin(), claims.end(), [&](const claim& c) { return c.edge == edge && c.from == from; });
  if (found == claims.end()) return;
  claims.erase(found);
  if (claims.empty())
    remove(*number);
  else
    bind(*number);
}

void table::for_each(const std::function<void(const row&)>& visit) const {
  for (const slot& s : slots_)
    if (!s.content.claims.empty()) visit(s.content);
}

std::size_t table::size() const noexcept { return slots_.size() - free_slots_.size(); }

table::changes table::take_changes() {
  changes told;
  sites_.take_changes(told.new_sites, told.free_sites);
  for (const std::uint32_t number : changed_) {
    // A slot that was freed and used again stands here twice, one that was freed without having changed since.
    slot& of = slots_[number];
    if (!of.changed) continue;
    of.changed = false;
    if (of.content.site == of.told) continue;
    of.told = of.content.site;
    told.rows.push_back({of.content.who, of.told});
  }
  changed_.clear();
  for (const auto& [who, site] : gone_) told.rows.push_back({who, std::nullopt});
  // Its buckets go with it: what is to be told later costs by its own number.
  if (!gone_.empty()) gone_ = decltype(gone_)();
  return told;
}

}  // namespace nearside::mapping
