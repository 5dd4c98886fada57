// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/zone_balance.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "agent/config/addresses.hpp"
#include "agent/config/wording.hpp"
#include "agent/config/zone_content.hpp"
#include "agent/dns/rr_type.hpp"

namespace nearside::config {
namespace {

// As many alternatives as an answer can have (rrset::alternatives).
constexpr std::size_t most_servers = 255;

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

std::vector<boost::asio::ip::address> read_servers(table_reader& table) {
  std::vector<boost::asio::ip::address> servers;
  const auto found = table.texts("servers");
  if (!found) {
    if (!table.has("servers"))
      table.complain("servers", table.at(), "expected the addresses of at least one server, found none");
    return servers;
  }
  if (found->value.empty() || found->value.size() > most_servers) {
    table.complain(
        "servers", found->at,
        "expected 1 to " + std::to_string(most_servers) + " addresses, found " + std::to_string(found->value.size()));
  }
  for (const auto& text : found->value) {
    const auto address = parse_host_address(text.value);
    if (!address)
      table.complain("servers", text.at, address.error().message);
    else if (std::find(servers.begin(), servers.end(), *address) != servers.end())
      table.complain("servers", text.at, in_quotes(text.value) + " is given twice");
    else
      servers.push_back(*address);
  }
  return servers;
}

void read_balanced_name(table_reader& table, std::uint32_t ttl, std::uint32_t& pools, dns::zone& zone,
                        names_seen& seen) {
  const auto owner = read_owner(table, zone, seen);
  const auto servers = read_servers(table);
  if (const auto own_ttl = table.seconds("ttl", least_ttl, most_ttl)) ttl = own_ttl->value;
  table.finish();
  if (!owner) return;
  for (const auto& server : servers) {
    if (const auto added =
            zone.add(*owner, server.is_v4() ? dns::rr_type::a : dns::rr_type::aaaa, ttl, address_octets(server));
        !added) {
      table.complain("name", table.at("name"), added.error().message);
      return;
    }
  }
  zone.balance(*owner, pools++);
}

}  // namespace

void read_balanced_names(table_reader& zone_table, std::uint32_t ttl, std::uint32_t& pools, dns::zone& zone) {
  names_seen seen;
  for (table_reader& table : zone_table.tables("balance")) read_balanced_name(table, ttl, pools, zone, seen);
}

}  // namespace nearside::config
