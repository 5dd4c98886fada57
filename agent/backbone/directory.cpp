// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/directory.hpp"

#include <algorithm>
#include <utility>

#include "agent/backbone/nonce_zone.hpp"
#include "agent/score/shares.hpp"

namespace nearside::backbone {

using boost::asio::ip::address;
using mapping::most_edges_in_row;
using mapping::prefix_of;

namespace {

constexpr std::size_t most_alternatives = 255;  // the kernel counts them in one octet
constexpr std::size_t usual_servers = 2;        // of a default referral
constexpr std::size_t most_rendered = 100'000;
constexpr std::uint16_t family_ipv4 = 1, family_ipv6 = 2;  // IANA's address family numbers

/// FNV-1a: the same at every backbone node.
std::uint64_t hash_of(std::span<const std::uint8_t> octets) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t octet : octets) hash = (hash ^ dns::lower_octet(octet)) * 0x100000001b3u;
  return hash;
}

/// The prefix of an ECS option as far as it counts; nothing: there is none, or it says nothing.
std::optional<prefix> client_prefix(const std::optional<dns::client_subnet>& subnet) {
  if (!subnet || subnet->source_prefix == 0) return std::nullopt;
  const auto fill = [&](auto octets) {
    std::copy_n(subnet->address.begin(), std::min(octets.size(), subnet->address.size()), octets.begin());
    return octets;
  };
  if (subnet->family == family_ipv4) {
    const boost::asio::ip::address_v4 first(fill(boost::asio::ip::address_v4::bytes_type{}));
    return prefix_of(first, std::min(subnet->source_prefix, most_subnet_v4));
  }
  if (subnet->family == family_ipv6) {
    const boost::asio::ip::address_v6 first(fill(boost::asio::ip::address_v6::bytes_type{}));
    return prefix_of(first, std::min(subnet->source_prefix, most_subnet_v6));
  }
  return std::nullopt;
}

}  // namespace

directory::directory(directory_settings settings, const registry& book, clock now)
    : settings_(std::move(settings)),
      registry_(book),
      now_(std::move(now)),
      edges_(settings_.weights, settings_.address_ttl),
      reports_(settings_.names, settings_.pools) {
  std::sort(settings_.direct_servers.begin(), settings_.direct_servers.end(),
            [](const name_server& a, const name_server& b) { return a.owner < b.owner; });
  for (const name_server& server : settings_.direct_servers) {
    if (!server.addresses.rrsets.empty()) edges_.add(server);
  }
  for (std::size_t i = 0; i < settings_.names.size(); ++i)
    numbers_.emplace(settings_.names[i].owner, static_cast<std::uint32_t>(i));
  registry_.for_each([&](const edge_state& edge) { edges_.put(edge.id, &edge); });
  registry_.rows().for_each([&](const row& one) { scopes_.insert(one.who); });
}

directory::~directory() = default;

void directory::edges_changed(std::span<const edge_id> edges) {
  for (const edge_id edge : edges) {
    const edge_state* state = registry_.find(edge);
    edges_.put(edge, state);
    if (state == nullptr || !state->reported) reports_.forget(edge);
  }
  if (!edges.empty()) defaults_.reset();
}

void directory::rows_changed(std::span<const row_change> rows) {
  for (const row_change& change : rows) {
    if (change.site)
      scopes_.insert(change.who);
    else
      scopes_.erase(change.who);
  }
}

// ---- deciding ----

/// Nearest first: by the table, else by other knowledge.
directory::edge_list directory::near_to(const address& where, const row* known) const {
  if (known != nullptr) {
    const auto edges = registry_.rows().edges_of(known->site);
    return {edges.begin(), edges.end()};
  }
  return nearest_ ? nearest_(where) : edge_list();
}

directory::asker directory::asker_of(const address& source, const std::optional<prefix>& client) const {
  asker who;
  who.resolver_row = registry_.rows().find(source);
  who.by_resolver = near_to(source, who.resolver_row);
  if (!client) return who;
  who.client = client;
  who.client_row = registry_.rows().find(*client);
  who.by_client = near_to(client->address, who.client_row);
  if (who.client_row != nullptr || who.by_client.empty())
    // A prefix without a row is answered by the resolver's: that too must not be reused where there are rows.
    who.client_scope = scopes_.scope_of(*client, who.client_row != nullptr ? who.client_row->who.length : 0);
  else
    who.client_scope = client->length;
  return who;
}

directory::reasons directory::reason(std::uint32_t mapped, const asker& who, const dns::draw_numbers& by) const {
  using config::mapped_mode;
  reasons r;
  const mapped_mode mode = settings_.names[mapped].how;
  const bool tells_more = !who.by_client.empty() && who.by_client != who.by_resolver;
  const bool first_lives = !who.by_resolver.empty() && edges_.living(who.by_resolver.front()) != nullptr;

  bool directly = false;
  if (who.at_direct) {
    directly = true;
    r.why = "asked as a name server of the cut";
  } else if (mode == mapped_mode::direct) {
    directly = true;
    r.why = "mode direct";
  } else if (mode == mapped_mode::automatic && tells_more) {
    directly = true;
    r.why = "the client's prefix tells more than the resolver's address";
  } else if (mode == mapped_mode::automatic && !who.by_resolver.empty() && !first_lives) {
    directly = true;
    r.why = "the nearest edge is not alive";
  } else {
    r.why = mode == mapped_mode::automatic ? "the nearest edge is alive" : "mode referral";
  }
  if (directly) {
    r.by_client = !who.by_client.empty() && answer_directly(mapped, who.by_client, r);
    if (r.what == reasons::kind::direct || answer_directly(mapped, who.by_resolver, r)) {
      r.scope = who.client ? who.client_scope : std::uint8_t{0};
      if (who.at_direct) refer(who.by_resolver, by, r);
      return r;
    }
    if (who.at_direct) {
      // Nobody can be referred from here: those whom the client would be referred to are asked for their view instead.
      refer(who.by_resolver, by, r);
      if (answer_directly(mapped, r.servers, r)) r.scope = who.client ? who.client_scope : std::uint8_t{0};
      return r;
    }
    r.why = who.by_client.empty() && who.by_resolver.empty() ? "no row" : "no fresh report";
  }
  refer(who.by_resolver, by, r);
  if (!r.servers.empty() || !settings_.direct_servers.empty())
    r.what = reasons::kind::referral;
  else
    r.why = "no edge is alive";
  return r;
}

/// By the first edge of the list that has told something of this name lately.
bool directory::answer_directly(std::uint32_t mapped, const edge_list& near, reasons& r) const {
  for (const edge_id edge : near) {
    const edge_state* state = registry_.find(edge);
    if (state == nullptr || !is_fresh(*state)) continue;
    auto choice = reports_.of(*state, mapped);
    if (!choice) continue;
    r.what = reasons::kind::direct;
    r.reporting = edge;
    r.choice = std::move(choice);
    return true;
  }
  return false;
}

bool directory::is_fresh(const edge_state& edge) const {
  return edge.reported && edge.state != nearside::mapping::liveness::withdrawn &&
         now_() - edge.reported_at <= settings_.report_age;
}

void directory::refer(const edge_list& near, const dns::draw_numbers& by, reasons& r) const {
  r.servers = servers_near(near);
  if (!r.servers.empty()) return;
  r.by_default = true;
  const defaults& all = current_defaults();
  if (all.servers.empty()) return;
  const std::size_t count = all.servers.size();
  r.servers = all.servers[by.alternative ? *by.alternative % count : dns::draw(all.shares, by.random)];
}

dns::decision directory::carry_out(const reasons& r, bool as_child, std::uint32_t ttl) const {
  if (r.what == reasons::kind::referral) return referral_to(r.servers, ttl);
  dns::direct_answer answer;
  answer.choice = r.choice;
  answer.scope = r.scope;
  if (as_child) answer.as_child = referral_to(r.servers, ttl);
  return answer;
}

dns::decision directory::decide(std::uint32_t mapped, const dns::origin& asked, const dns::draw_numbers& by) const {
  if (mapped >= settings_.names.size()) return dns::direct_answer();
  asker who = asker_of(asked.source, client_prefix(asked.subnet));
  who.at_direct =
      std::find(settings_.direct_at.begin(), settings_.direct_at.end(), asked.destination) != settings_.direct_at.end();
  return carry_out(reason(mapped, who, by), who.at_direct, settings_.names[mapped].referral_ttl);
}

const dns::node* directory::find(std::span<const std::uint8_t> owner) const {
  if (const dns::node* registered = edges_.find(owner)) return registered;
  static const dns::node empty;
  return who_ != nullptr && who_->is_below(owner) ? &empty : nullptr;
}

const dns::rrset* directory::servers_at(const dns::zone&, const dns::origin&) const { return nullptr; }

std::shared_ptr<const dns::made_answer> directory::make(const dns::name& qname, std::uint16_t qtype,
                                                        const dns::origin& asked) const {
  return who_ != nullptr ? who_->answer(qname, qtype, asked.source) : nullptr;
}

// ---- referrals ----

/// The living edges of a list; where there is but one and no backbone node stands in, with that which follows it.
directory::edge_list directory::servers_near(std::span<const edge_id> near) const {
  edge_list living;
  for (const edge_id edge : near) {
    if (living.size() < most_edges_in_row && edges_.living(edge) != nullptr) living.push_back(edge);
  }
  if (living.size() != 1 || !settings_.direct_servers.empty()) return living;
  if (const auto next = edges_.next_of(living.front())) living.push_back(*next);
  return living;
}

const directory::defaults& directory::current_defaults() const {
  if (defaults_) return *defaults_;
  defaults& made = defaults_.emplace();
  const auto all = edges_.by_weight(most_alternatives);
  if (all.empty()) return made;
  std::vector<score::share> among;
  for (std::size_t i = 0; i < all.size(); ++i) among.push_back({static_cast<std::uint8_t>(i), all[i].weight});
  made.shares = score::rotation(among, usual_servers);
  for (const dns::alternative& one : made.shares) {
    edge_list& servers = made.servers.emplace_back();
    for (const std::uint8_t index : one.order) servers.push_back(all[index].edge);
  }
  return made;
}

std::size_t directory::rendered_hash::operator()(const rendered_key& k) const noexcept {
  std::size_t hash = k.ttl;
  for (const edge_id edge : k.edges) hash = (hash ^ edge) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 32U);
}

/// nullptr: there is nobody to refer to.
std::shared_ptr<const dns::referral> directory::referral_to(const edge_list& edges, std::uint32_t ttl) const {
  if (edges.empty() && settings_.direct_servers.empty()) return nullptr;
  std::vector<std::uint64_t> versions;
  for (const edge_id edge : edges) versions.push_back(edges_.version_of(edge));
  if (rendered_.size() >= most_rendered) rendered_.clear();
  rendered& there = rendered_[{edges, ttl}];
  if (there.is == nullptr || there.versions != versions)
    there = {std::move(versions), std::make_shared<const dns::referral>(render(edges, ttl))};
  return there.is;
}

dns::referral directory::render(const edge_list& edges, std::uint32_t ttl) const {
  dns::referral to;
  to.servers.type = dns::rr_type::ns;
  to.servers.ttl = ttl;
  const auto add = [&](const name_server& server) {
    const auto wire = server.owner.wire();
    to.servers.rdatas.emplace_back(wire.begin(), wire.end());
    for (dns::rrset addresses : server.addresses.rrsets) {
      addresses.ttl = ttl;
      to.addresses.push_back({server.owner, std::move(addresses)});
    }
  };
  for (const edge_id edge : edges) {
    if (const name_server* server = edges_.living(edge)) add(*server);
  }
  const auto& stand_ins = settings_.direct_servers;
  if (stand_ins.empty() || to.servers.rdatas.size() >= usual_servers) return to;
  if (to.servers.rdatas.empty()) {
    for (std::size_t i = 0; i < std::min(stand_ins.size(), most_edges_in_row); ++i) add(stand_ins[i]);
  } else {
    // By the first edge's name: so the backbone nodes share the work, and each of them says the same.
    add(stand_ins[hash_of(to.servers.rdatas.front()) % stand_ins.size()]);
  }
  return to;
}

// ---- for the publisher ----

std::shared_ptr<const dns::referral> directory::referral_of(site_id site, std::uint32_t ttl) const {
  const edge_list servers = servers_near(registry_.rows().edges_of(site));
  return servers.empty() ? nullptr : referral_to(servers, ttl);
}

directory::alternatives directory::default_alternatives(std::uint32_t ttl) const {
  const defaults& all = current_defaults();
  alternatives made;
  for (const edge_list& servers : all.servers) made.referrals.push_back(referral_to(servers, ttl));
  made.shares = all.shares;
  if (made.referrals.empty()) {
    if (auto to = referral_to({}, ttl)) {
      made.referrals.push_back(std::move(to));
      made.shares.push_back({{0}});
    }
  }
  return made;
}

directory::changed_sites directory::sites_changed_by(std::span<const edge_id> edges) const {
  const auto& rows = registry_.rows();
  changed_sites changed;
  for (const edge_id edge : edges) {
    const auto with = rows.sites_with(edge);
    changed.theirs.insert(changed.theirs.end(), with.begin(), with.end());
  }
  // Without backbone nodes that stand in, the second server of a lonely edge is whoever follows it.
  if (settings_.direct_servers.empty() && !edges.empty()) {
    for (site_id site = nearside::mapping::default_site + 1; site < rows.sites_end(); ++site) {
      const auto of_site = rows.edges_of(site);
      const auto living =
          std::count_if(of_site.begin(), of_site.end(), [&](edge_id edge) { return edges_.living(edge) != nullptr; });
      if (living == 1) changed.lonely.push_back(site);
    }
  }
  return changed;
}

// ---- for the registration ----

std::vector<std::string> directory::servers_of(const edge_state& edge, const prefix* who) const {
  std::vector<std::string> names;
  const auto tell = [&](const edge_list& servers) {
    const auto to = referral_to(servers, settings_.address_ttl);
    if (to == nullptr) return;
    for (const dns::rdata& server : to->servers.rdatas) names.push_back(dns::name::from_wire(server).value().text());
  };
  const row* known = who != nullptr ? registry_.rows().at(*who) : nullptr;
  if (known != nullptr) tell(servers_near(registry_.rows().edges_of(known->site)));
  if (!names.empty()) return names;
  // Of the default's referrals the one that begins with this edge: it is by that one that most come here.
  edge_list servers{edge.id};
  if (const auto next = edges_.next_of(edge.id)) servers.push_back(*next);
  if (edges_.living(edge.id) != nullptr) {
    tell(servers);
  } else {
    names.push_back(edge.record.edge);
    servers.erase(servers.begin());
    tell(servers);
  }
  return names;
}

}  // namespace nearside::backbone
