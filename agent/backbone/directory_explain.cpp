// SPDX-License-Identifier: BSD-2-Clause
// Why a client gets what it gets, as JSON for `nearside explain`: from the same reasons that directory::decide() has.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <string_view>

#include "agent/backbone/directory.hpp"

namespace nearside::backbone {

namespace json = boost::json;
using mapping::prefix_of;

namespace {

/// Seconds, to the tenth: for people.
double seconds_between(instant from, instant to) {
  return std::round(std::chrono::duration<double>(to - from).count() * 10) / 10;
}

json::value milliseconds(std::optional<std::chrono::microseconds> time) {
  if (!time) return nullptr;
  return std::chrono::duration<double, std::milli>(*time).count();
}

constexpr auto source_proved = mapping::source::proved;

std::string_view word_of(mapping::source s) noexcept { return s == source_proved ? "proved" : "table"; }

json::array texts_of(const dns::rrset& set) {
  json::array texts;
  for (const dns::rdata& data : set.rdatas) {
    if (set.type == dns::rr_type::ns) {
      texts.emplace_back(dns::name::from_wire(data).value().text());
    } else if (set.type == dns::rr_type::a && data.size() == 4) {
      boost::asio::ip::address_v4::bytes_type octets;
      std::copy(data.begin(), data.end(), octets.begin());
      texts.emplace_back(boost::asio::ip::address_v4(octets).to_string());
    } else if (data.size() == 16) {
      boost::asio::ip::address_v6::bytes_type octets;
      std::copy(data.begin(), data.end(), octets.begin());
      texts.emplace_back(boost::asio::ip::address_v6(octets).to_string());
    }
  }
  return texts;
}

json::object referral_json(const dns::referral& to) {
  json::array glue;
  for (const auto& [owner, addresses] : to.addresses)
    glue.push_back({{"name", owner.text()}, {"addresses", texts_of(addresses)}});
  return {{"ns", texts_of(to.servers)}, {"glue", std::move(glue)}, {"ttl", to.servers.ttl}};
}

json::object figure_json(const mapping::report& from, const mapping::reported_figure& f, double report_age) {
  json::object made{{"server", f.server < from.servers.size() ? from.servers[f.server] : std::string()},
                    {"family", f.family == 6 ? "ipv6" : "ipv4"},
                    {"state", f.state},
                    {"rtt_ms", f.rtt_ms ? json::value(*f.rtt_ms) : json::value()},
                    {"loss", f.loss},
                    {"age_s", f.age_s + report_age}};
  return made;
}

/// Whether the server is one of the name's, as far as they are known here.
bool may_serve(const directory_settings& settings, std::uint32_t mapped, const std::string& server) {
  const std::uint32_t pool = settings.names[mapped].pool;
  if (pool >= settings.pools.size()) return false;
  const auto& members = settings.pools[pool].members;
  return std::any_of(members.begin(), members.end(), [&](const score::member& m) { return m.server == server; });
}

}  // namespace

json::object directory::row_json(const row& one) const {
  json::array claims;
  for (const auto& c : one.claims) {
    const edge_state* edge = registry_.find(c.edge);
    json::object shown{{"edge", edge != nullptr ? edge->record.edge : std::string()},
                       {"source", word_of(c.from)},
                       {"rtt_ms", milliseconds(c.rtt)},
                       {"state", edge != nullptr ? text_of(edge->state) : std::string_view("unknown")}};
    if (c.from == source_proved)
      shown["age_s"] = seconds_between(c.proved, now_());
    else
      shown["rank"] = c.rank;
    claims.push_back(std::move(shown));
  }
  return {{"prefix", text_of(one.who)}, {"site", one.site}, {"claims", std::move(claims)}};
}

/// The edge as it stands, and its candidates for the name.
json::object directory::edge_json(edge_id number, std::uint32_t mapped) const {
  const edge_state* edge = registry_.find(number);
  if (edge == nullptr) return {{"edge", nullptr}, {"state", "unknown"}};
  json::array addresses;
  for (const auto& s : edge->services) {
    json::object one{{"address", s.address.to_string()}, {"answers", s.answers}};
    if (!s.reason.empty()) one["reason"] = s.reason;
    if (s.checked) one["age_s"] = seconds_between(*s.checked, now_());
    addresses.push_back(std::move(one));
  }
  json::object made{{"edge", edge->record.edge},
                    {"state", text_of(edge->state)},
                    {"lease_s", seconds_between(now_(), edge->record.expires)},
                    {"addresses", std::move(addresses)}};
  if (!edge->reported) {
    made["report"] = nullptr;
    return made;
  }
  const auto& told = *edge->reported;
  const double age = seconds_between(edge->reported_at, now_());
  const std::string wanted = settings_.names[mapped].owner.lower().text();
  json::array candidates;
  json::object ranks;
  std::array<std::vector<bool>, 2> ranked;
  for (const auto& a : told.answers) {
    if (std::find(a.names.begin(), a.names.end(), wanted) == a.names.end()) continue;
    json::array rank;
    auto& seen = ranked.at(a.family == 6 ? 1 : 0);
    seen.resize(told.servers.size());
    for (const std::uint32_t server : a.rank) {
      if (server >= told.servers.size()) continue;
      rank.emplace_back(told.servers[server]);
      seen[server] = true;
    }
    ranks[a.family == 6 ? "ipv6" : "ipv4"] = std::move(rank);
  }
  for (const auto& f : told.figures) {
    if (f.server >= told.servers.size()) continue;
    const auto& seen = ranked.at(f.family == 6 ? 1 : 0);
    const bool answered = f.server < seen.size() && seen[f.server];
    if (!answered && !may_serve(settings_, mapped, told.servers[f.server])) continue;
    auto one = figure_json(told, f, age);
    one["answered"] = answered;
    candidates.push_back(std::move(one));
  }
  made["report"] = json::object{
      {"age_s", age}, {"fresh", is_fresh(*edge)}, {"rank", std::move(ranks)}, {"candidates", std::move(candidates)}};
  return made;
}

json::object directory::answer_json(const reasons& r, std::uint32_t mapped) const {
  const config::mapped_name& name = settings_.names[mapped];
  const auto decision = carry_out(r, false, name.referral_ttl);
  json::object made;
  if (const auto* to = std::get_if<std::shared_ptr<const dns::referral>>(&decision); to != nullptr && *to != nullptr) {
    made = referral_json(**to);
    made["kind"] = "referral";
    made["from"] = r.by_default ? "default" : "row";
    if (r.by_default) made["alternatives"] = current_defaults().servers.size();
  } else if (r.choice) {
    made["kind"] = "direct";
    const edge_state* reporting = registry_.find(r.reporting);
    made["by"] = reporting != nullptr ? reporting->record.edge : std::string();
    for (std::size_t family = 0; family < r.choice->families.size(); ++family) {
      const dns::choice& c = r.choice->families.at(family);
      json::array servers;
      const bool has_pool = name.pool < settings_.pools.size();
      if (c.what == dns::choice::kind::answer && has_pool) {
        const score::pool& pool = settings_.pools[name.pool];
        for (const std::uint8_t record : c.alternatives.front().order)
          servers.emplace_back(pool.members[pool.families.at(family).addresses[record].member].server);
      }
      made[family == 0 ? "ipv4" : "ipv6"] = json::object{{"servers", std::move(servers)}, {"ttl", c.ttl}};
    }
  } else {
    made["kind"] = "pool";
  }
  made["why"] = r.why;
  made["scope"] = r.scope;
  return made;
}

result<json::object> directory::explain(const dns::name& name, const boost::asio::ip::address& resolver,
                                        const std::optional<prefix>& client) const {
  auto number = numbers_.find(name);
  for (dns::name above = name; number == numbers_.end() && !above.is_root();) {
    above = above.parent();
    number = numbers_.find(above);
  }
  if (number == numbers_.end()) return error{errc::not_found, name.text() + ": is no mapped name"};
  const config::mapped_name& mapped = settings_.names[number->second];
  std::optional<prefix> counts;
  if (client) counts = prefix_of(client->address, std::min(client->length, most_subnet(client->address.is_v4())));
  if (counts && counts->length == 0) counts.reset();

  const asker who = asker_of(resolver, counts);
  const reasons r = reason(number->second, who, {});
  const bool by_client = r.by_client && r.choice;
  const row* decided = by_client ? who.client_row : who.resolver_row;
  json::array edges;
  for (const edge_id edge : by_client ? who.by_client : who.by_resolver)
    edges.push_back(edge_json(edge, number->second));

  json::object made{{"name", mapped.owner.text()},
                    {"mode", config::text_of(mapped.how)},
                    {"resolver", resolver.to_string()},
                    {"decided_by", by_client      ? "client"
                                   : r.by_default ? "default"
                                                  : "resolver"},
                    {"row", decided != nullptr ? json::value(row_json(*decided)) : json::value()},
                    {"edges", std::move(edges)},
                    {"answer", answer_json(r, number->second)}};
  if (client) {
    json::object told{{"prefix", text_of(*client)}, {"used", by_client}};
    told["row"] = who.client_row != nullptr ? json::value(row_json(*who.client_row)) : json::value();
    made["client"] = std::move(told);
  }
  return made;
}

}  // namespace nearside::backbone
