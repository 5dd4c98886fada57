// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/edge_book.hpp"

#include <algorithm>
#include <utility>

namespace nearside::backbone {

using boost::asio::ip::address;
using mapping::edge_id;
using mapping::edge_state;

namespace {

dns::rdata octets_of(const address& a) {
  if (a.is_v4()) {
    const auto octets = a.to_v4().to_bytes();
    return {octets.begin(), octets.end()};
  }
  const auto octets = a.to_v6().to_bytes();
  return {octets.begin(), octets.end()};
}

bool is_registered(const edge_state& state) noexcept {
  using mapping::liveness;
  return state.state == liveness::alive || state.state == liveness::checking || state.state == liveness::port_dead;
}

}  // namespace

dns::node node_of(std::span<const address> addresses, std::uint32_t ttl) {
  dns::node made;
  for (const bool is_v4 : {true, false}) {
    dns::rrset set;
    set.type = is_v4 ? dns::rr_type::a : dns::rr_type::aaaa;
    set.ttl = ttl;
    for (const address& a : addresses) {
      if (a.is_v4() == is_v4) set.rdatas.push_back(octets_of(a));
    }
    if (!set.rdatas.empty()) made.rrsets.push_back(std::move(set));
  }
  return made;
}

edge_book::edge_book(weight_table weights, std::uint32_t ttl) : weights_(std::move(weights)), ttl_(ttl) {}

void edge_book::put(edge_id edge, const edge_state* state) {
  if (const auto known = edges_.find(edge); known != edges_.end()) {
    if (known->second.lives) order_.erase(place_of(edge, known->second.name));
    hide(known->second.server.owner);
    edges_.erase(known);
  }
  // One that may not be used is shown nevertheless: who has its NS in a cache had better find it than nothing.
  if (state == nullptr || !is_registered(*state)) return;
  const auto owner = dns::name::from_text(state->record.edge);
  if (!owner) return;
  entry fresh{{*owner, node_of(mapping::addresses_to_give(*state), ttl_)}, state->record.edge, false, ++versions_};
  fresh.lives = state->state == mapping::liveness::alive && !fresh.server.addresses.rrsets.empty();
  if (fresh.lives) order_.insert(place_of(edge, fresh.name));
  show(fresh.server);
  edges_.emplace(edge, std::move(fresh));
}

void edge_book::add(const name_server& fixed) { show(fixed); }

const dns::node* edge_book::find(std::span<const std::uint8_t> owner) const noexcept {
  const auto found = names_.find(owner);
  return found != names_.end() ? &found->second.at : nullptr;
}

const name_server* edge_book::living(edge_id edge) const noexcept {
  const auto found = edges_.find(edge);
  return found != edges_.end() && found->second.lives ? &found->second.server : nullptr;
}

std::uint64_t edge_book::version_of(edge_id edge) const noexcept {
  const auto found = edges_.find(edge);
  return found != edges_.end() ? found->second.version : 0;
}

std::vector<edge_book::weighted> edge_book::by_weight(std::size_t most) const {
  std::vector<weighted> first;
  const bool any_weight = !order_.empty() && order_.begin()->weight > 0;
  for (const place& p : order_) {
    if (first.size() == most || (any_weight && p.weight == 0)) break;
    first.push_back({p.edge, p.weight});
  }
  return first;
}

std::optional<edge_id> edge_book::next_of(edge_id edge) const {
  const auto known = edges_.find(edge);
  if (known == edges_.end() || order_.empty()) return std::nullopt;
  auto next = order_.upper_bound(place_of(edge, known->second.name));
  if (next == order_.end()) next = order_.begin();
  return next->edge != edge ? std::optional(next->edge) : std::nullopt;
}

edge_book::place edge_book::place_of(edge_id edge, const std::string& name) const {
  const auto weight = weights_.find(name);
  return {weight != weights_.end() ? weight->second : 1, name, edge};
}

void edge_book::show(const name_server& server) {
  shown& itself = names_[server.owner];
  // Of two with one name the first counts: a backbone node's own names are there before any edge.
  if (itself.uses++ == 0) itself.at = server.addresses;
  if (itself.uses > 1 || itself.below > 0) return;
  for (dns::name above = server.owner; !above.is_root();) {
    above = above.parent();
    shown& parent = names_[above];
    if (++parent.below > 1 || parent.uses > 0) return;
  }
}

void edge_book::hide(const dns::name& owner) {
  auto at = names_.find(owner);
  if (at == names_.end()) return;
  if (--at->second.uses == 0) at->second.at = {};
  for (dns::name name = owner; at->second.uses == 0 && at->second.below == 0;) {
    names_.erase(at);
    if (name.is_root()) return;
    name = name.parent();
    at = names_.find(name);
    --at->second.below;
  }
}

}  // namespace nearside::backbone
