// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/balance_servers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/config/addresses.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

using boost::asio::ip::address;

bool looks_like_address(std::string_view text) {
  return text.find_first_of(":/%") != std::string_view::npos ||
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// The server that the text means; nullptr: none, which has been noted.
const server* find_server(table_reader& table, const located<std::string>& text, const server_list& known,
                          server_choice& chosen) {
  if (const auto index = known.names.find(text.value)) return &known.all.at(*index);
  const auto address = parse_host_address(text.value);
  if (address) return chosen.plain.emplace_back(std::make_unique<server>(server_at(*address))).get();
  if (!text.value.empty() && looks_like_address(text.value)) {
    table.complain("servers", text.at, address.error().message);
  } else {
    table.complain("servers", text.at,
                   "expected an address or the name of a [[server]], found " + in_quotes(text.value) +
                       known.names.meant(text.value));
  }
  return nullptr;
}

/// Who has which address. A name's RRset has each address once, and each belongs to one server.
class address_owners {
 public:
  /// False: another server has one of the addresses, which is noted.
  bool take(table_reader& table, const server& s, place at) {
    for (const auto& family : s.families) {
      if (!family) continue;
      const auto [there, is_new] = owners_.emplace(family->address, &s);
      if (is_new) continue;
      const std::string shown = in_quotes(s.name);
      table.complain("servers", at,
                     there->second->name == s.name ? shown + " is given twice"
                                                   : shown + " has the address " + family->address.to_string() +
                                                         ", which " + in_quotes(there->second->name) + " has already");
      return false;
    }
    return true;
  }

 private:
  std::unordered_map<address, const server*> owners_;
};

void read_names(table_reader& table, const server_list& known, server_choice& chosen) {
  const auto found = table.texts("servers");
  if (!found) {
    chosen.whole = false;
    if (!table.has("servers"))
      table.complain("servers", table.at(), "expected the addresses or names of at least one server, found none");
    return;
  }
  if (found->value.empty() || found->value.size() > most_addresses) {
    chosen.whole = false;
    table.complain(
        "servers", found->at,
        "expected 1 to " + std::to_string(most_addresses) + " servers, found " + std::to_string(found->value.size()));
    return;
  }
  address_owners owners;
  for (const auto& text : found->value) {
    const server* s = find_server(table, text, known, chosen);
    if (s == nullptr || !owners.take(table, *s, text.at)) {
      chosen.whole = false;
      continue;
    }
    chosen.whole = chosen.whole && s->whole;
    chosen.servers.push_back({s, {s->name, s->weight, s->priority, s->cost, s->site}, {}});
    chosen.places.push_back(text.at);
  }
}

/// A table that overrides a number of some of the servers: calls `read` with the table, the key and the member.
template <typename Read>
void read_override(table_reader& table, std::string_view key, server_choice& chosen, Read read) {
  auto numbers = table.table(key);
  if (!numbers) return;
  const auto keys = numbers->keys();
  if (keys.size() > most_addresses) {
    table.complain(
        key, numbers->at(),
        "expected at most " + std::to_string(most_addresses) + " servers, found " + std::to_string(keys.size()));
    return;
  }
  std::unordered_map<std::string_view, score::member*> members;
  std::vector<std::string_view> names;
  for (pooled_server& s : chosen.servers) {
    members.emplace(s.as.server, &s.as);
    names.push_back(s.as.server);
  }
  for (const std::string_view name : keys) {
    auto member = members.find(name);
    if (const auto address = parse_host_address(name); member == members.end() && address)
      member = members.find(address->to_string());
    if (member != members.end()) {
      read(*numbers, name, *member->second);
    } else if (chosen.whole) {
      std::string message = in_quotes(name) + " is not among the servers of this name";
      if (const auto meant = nearest(name, names); !meant.empty())
        message += ", did you mean " + in_quotes(meant) + "?";
      // TOML takes the dots of an address for tables in tables.
      if (looks_like_address(name) && !parse_host_address(name)) message += ": write an address in quotes";
      table.complain(key, numbers->at(name), message);
    }
  }
}

}  // namespace

server_choice read_balanced_servers(table_reader& table, const server_list& known, const name_index& checks) {
  server_choice chosen;
  read_names(table, known, chosen);
  const auto usual_checks = read_check_names(table, checks);
  for (pooled_server& s : chosen.servers) {
    if (s.from->checks)
      s.checks = *s.from->checks;
    else if (usual_checks)
      s.checks = *usual_checks;
  }
  read_override(table, "weights", chosen, [](table_reader& numbers, std::string_view name, score::member& m) {
    numbers.integer_into<std::uint32_t>(name, m.weight, 0, most_weight);
  });
  read_override(table, "priorities", chosen, [](table_reader& numbers, std::string_view name, score::member& m) {
    numbers.integer_into<std::uint32_t>(name, m.priority, 0, most_priority);
  });
  read_override(table, "costs", chosen, [](table_reader& numbers, std::string_view name, score::member& m) {
    numbers.number_into(name, m.cost, 0, most_cost);
  });
  return chosen;
}

std::vector<address> read_fallbacks(table_reader& table, const score::criteria& rules, const server_choice& chosen) {
  std::vector<address> fallbacks;
  const bool wanted = rules.all_down == score::all_down_rule::fallback;
  const auto found = table.texts("fallback");
  if (!found) {
    if (wanted && !table.has("fallback"))
      table.complain("all_down", table.at("all_down"), "expected addresses in fallback for \"fallback\", found none");
    return fallbacks;
  }
  if (!wanted) {
    // A rule that nobody understands has been noted, and may have been meant for them.
    const auto rule = table.text("all_down");
    if (!rule || std::find(score::all_down_words.begin(), score::all_down_words.end(), rule->value) !=
                     score::all_down_words.end())
      table.complain("fallback", found->at, "expected only with all_down = \"fallback\"");
    return fallbacks;
  }
  std::array<std::size_t, 2> of_family{};
  std::unordered_map<address, bool> seen;
  for (const pooled_server& s : chosen.servers) {
    for (std::size_t family = 0; family < of_family.size(); ++family) {
      if (!s.from->families.at(family)) continue;
      ++of_family.at(family);
      seen.emplace(s.from->families.at(family)->address, true);
    }
  }
  if (found->value.empty()) table.complain("fallback", found->at, "expected at least one address, found none");
  for (const auto& text : found->value) {
    const auto address = parse_host_address(text.value);
    if (!address) {
      table.complain("fallback", text.at, address.error().message);
      continue;
    }
    const auto [there, is_new] = seen.emplace(*address, false);
    if (!is_new) {
      table.complain("fallback", text.at,
                     in_quotes(text.value) + (there->second ? " is a server of this name" : " is given twice"));
      continue;
    }
    fallbacks.push_back(*address);
    if (++of_family.at(address->is_v6() ? 1 : 0) == most_addresses + 1) {
      table.complain("fallback", text.at,
                     "expected at most " + std::to_string(most_addresses) + " " +
                         std::string(family_words.at(address->is_v6() ? 1 : 0)) +
                         " addresses together with the servers', found more");
    }
  }
  return fallbacks;
}

}  // namespace nearside::config
