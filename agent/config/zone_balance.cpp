// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/zone_balance.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "agent/config/addresses.hpp"
#include "agent/config/balance_criteria.hpp"
#include "agent/config/balance_servers.hpp"
#include "agent/config/wording.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::config {
namespace {

using names_seen = std::unordered_map<dns::name, place, dns::name_hash>;

/// The owner's name, if the zone can have servers there.
std::optional<dns::name> read_owner(table_reader& table, const dns::zone& zone, names_seen& seen) {
  const auto text = table.text("name");
  if (!text) {
    if (!table.has("name")) table.complain("name", table.at(), "expected a name relative to the zone, found none");
    return std::nullopt;
  }
  const std::string shown = in_quotes(text->value);
  const auto refuse = [&](const std::string& message) {
    table.complain("name", text->at, message);
    return std::nullopt;
  };
  const auto name = dns::name::from_text(text->value, zone.apex());
  if (!name) return refuse("expected a name relative to the zone, found " + shown + ": " + name.error().message);
  const std::string full = name->text();
  if (!name->is_at_or_below(zone.apex()))
    return refuse("expected a name in " + zone.apex().text() + ", found " + shown);
  // The zone's name written out without its final dot would silently be there twice.
  if (const auto absolute = dns::name::from_text(text->value);
      absolute && !text->value.ends_with('.') && !zone.apex().is_root() && absolute->is_at_or_below(zone.apex())) {
    return refuse("names are relative to the zone: " + shown + " would be " + full +
                  ", write the name without the zone's, or " + in_quotes(text->value + "."));
  }
  if (const auto [earlier, is_new] = seen.emplace(*name, text->at); !is_new)
    return refuse(full + " is given twice, first in line " + std::to_string(earlier->second.line));
  if (const dns::name* cut = zone.cut_above(*name))
    return refuse(full + " lies in the delegation of " + cut->text() + ", whose servers answer for it");
  if (const dns::node* there = zone.find(*name)) {
    if (there->find(dns::rr_type::cname) != nullptr) return refuse(full + " is a CNAME in the zone's records");
    if (there->find(dns::rr_type::a) != nullptr || there->find(dns::rr_type::aaaa) != nullptr)
      return refuse(full + " has addresses in the zone's records already");
  }
  return *name;
}

/// The RRsets of the name: the servers' addresses in their order, then the fallbacks.
result<void> add_addresses(const dns::name& owner, std::uint32_t ttl, const pool_wish& wish, dns::zone& zone) {
  const auto add = [&](const boost::asio::ip::address& address) {
    return zone.add(owner, address.is_v4() ? dns::rr_type::a : dns::rr_type::aaaa, ttl, address_octets(address));
  };
  for (const pooled_server& server : wish.servers) {
    for (const auto& family : server.from->families) {
      if (!family) continue;
      if (const auto added = add(family->address); !added) return added.error();
    }
  }
  for (const auto& address : wish.fallbacks) {
    if (const auto added = add(address); !added) return added.error();
  }
  return {};
}

/// How the clients of the name come to their servers; nothing: as those of an edge.
std::optional<mapped_mode> read_mode(table_reader& table, const node_roles& roles) {
  const auto word = table.one_of("mode", mapped_mode_words);
  if (!table.has("mode")) return std::nullopt;
  if (!roles.is_backbone) {
    table.complain("mode", table.at("mode"), "expected only at a backbone node, found no [backbone]");
    return std::nullopt;
  }
  return word ? std::optional(static_cast<mapped_mode>(*word)) : std::nullopt;
}

/// Makes a mapped name of it. Its servers are measured by edges, and criteria are theirs: what is left to this node is
/// to answer with all servers where it has nothing better.
void map_name(table_reader& table, const dns::name& owner, mapped_mode how, const usual_ttls& ttls,
              const balance_sources& sources, pool_wish& wish, dns::zone& zone) {
  const auto number = static_cast<std::uint32_t>(sources.mapped.size());
  if (const auto done = zone.map(owner, number); !done) {
    table.complain("name", table.at("name"), done.error().message);
    return;
  }
  const bool takes_all = wish.rules.how == score::policy::all || wish.rules.how == score::policy::spread;
  const std::size_t usual = takes_all ? 0 : 1;
  sources.mapped.push_back({.owner = owner,
                            .zone = zone.apex(),
                            .how = how,
                            .addresses = wish.rules.addresses != 0 ? wish.rules.addresses : usual,
                            .ttl = static_cast<std::uint32_t>(wish.rules.ttl.count()),
                            .referral_ttl = ttls.referral});
  score::criteria rules;
  rules.ttl = wish.rules.ttl;
  rules.ttl_min = wish.rules.ttl_min;
  wish.rules = rules;
  for (pooled_server& s : wish.servers) s.checks.clear();
}

void read_balanced_name(table_reader& table, const usual_ttls& ttls, const balance_sources& sources, dns::zone& zone,
                        names_seen& seen, problem_list& problems) {
  const std::size_t before = problems.size();
  const auto owner = read_owner(table, zone, seen);
  pool_wish wish;
  const auto mode = read_mode(table, sources.roles);
  wish.rules = read_criteria(table, std::chrono::seconds(ttls.answer));
  const bool needs_servers = mode != mapped_mode::referral || table.has("servers");
  server_choice chosen;
  if (needs_servers) chosen = read_balanced_servers(table, sources.servers, sources.checks.names);
  wish.servers = chosen.servers;
  wish.fallbacks = read_fallbacks(table, wish.rules, chosen);
  table.finish();
  // What does not fit together is only told of a name of which each part is good.
  if (problems.size() == before && chosen.whole && !mode) check_together(table, wish.rules, chosen, sources.checks.all);
  if (!owner) return;
  // A name with a problem has its addresses nevertheless, so that none is missed where the zone is looked at as a
  // whole.
  if (const auto added = add_addresses(*owner, static_cast<std::uint32_t>(wish.rules.ttl.count()), wish, zone);
      !added) {
    table.complain("name", table.at("name"), added.error().message);
    return;
  }
  if (mode) map_name(table, *owner, *mode, ttls, sources, wish, zone);
  if (problems.size() != before || !chosen.whole || !needs_servers) return;
  wish.label = owner->text();
  if (const auto pool = sources.pools.add(wish)) {
    zone.balance(*owner, static_cast<std::uint32_t>(*pool));
    if (mode) sources.mapped.back().pool = static_cast<std::uint32_t>(*pool);
  } else {
    table.complain(
        "servers", table.at("servers"),
        "expected at most " + std::to_string(pool_list::most_targets) + " addresses with a check in all, found more");
  }
}

}  // namespace

void read_balanced_names(table_reader& zone_table, const usual_ttls& ttls, const balance_sources& sources,
                         dns::zone& zone, problem_list& problems) {
  names_seen seen;
  for (table_reader& table : zone_table.tables("balance"))
    read_balanced_name(table, ttls, sources, zone, seen, problems);
}

}  // namespace nearside::config
