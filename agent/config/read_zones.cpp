// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_zones.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/config/wording.hpp"
#include "agent/config/zone_balance.hpp"
#include "agent/config/zone_content.hpp"

namespace nearside::config {
namespace {

using namespace std::chrono_literals;

// A resolver keeps a referral for that long: it bounds how long a dead edge is asked, and how often we are.
constexpr std::chrono::seconds least_referral_ttl = 30s;
constexpr std::chrono::seconds most_referral_ttl = 300s;

struct placed_zone {
  dns::zone zone;
  table_reader table;
};

std::optional<dns::name> read_apex(table_reader& table) {
  const auto text = table.text("name");
  if (!text) {
    if (!table.has("name")) table.complain("name", table.at(), "expected the zone's name, found none");
    return std::nullopt;
  }
  auto name = dns::name::from_text(text->value);
  if (!name) {
    table.complain("name", text->at,
                   "expected a domain name, found " + in_quotes(text->value) + ": " + name.error().message);
    return std::nullopt;
  }
  if (name->is_wildcard()) {
    table.complain("name", text->at, "expected a domain name, found the wildcard " + in_quotes(text->value));
    return std::nullopt;
  }
  return *name;
}

/// parent = "backbone": the zone is a cut that backbone nodes refer to this edge.
void read_parent(table_reader& table, const node_roles& roles, dns::zone& zone) {
  constexpr std::array<std::string_view, 1> parents{"backbone"};
  if (!table.one_of("parent", parents)) return;
  if (!roles.registers)
    table.complain("parent", table.at("parent"), "expected only at an edge that registers, found no [registration]");
  zone.follow_parent();
}

/// A zone without a name has its table read all the same, with the root in the place of the name, and is not to be
/// used.
dns::zone read_zone(table_reader& table, const std::optional<dns::name>& apex, const std::filesystem::path& folder,
                    const balance_sources& sources, problem_list& problems) {
  dns::zone zone(apex.value_or(dns::name()));
  usual_ttls ttls;
  if (const auto found = table.seconds("ttl", least_ttl, most_ttl)) ttls.answer = found->value;
  if (const auto found = table.seconds("referral_ttl", least_referral_ttl, most_referral_ttl)) {
    ttls.referral = found->value;
    if (!sources.roles.is_backbone)
      table.complain("referral_ttl", found->at, "expected only at a backbone node, found no [backbone]");
  }
  read_parent(table, sources.roles, zone);
  const bool complete = read_content(table, folder, ttls.answer, zone, problems);
  read_balanced_names(table, ttls, sources, zone, problems);
  table.finish();
  if (complete && apex) {
    if (const auto whole = zone.check(); !whole) problems.add(table.at(), whole.error().message);
  }
  return zone;
}

/// Where one zone encloses another, the enclosing one may delegate it, or must have nothing there: its records would
/// never be told.
void check_nesting(const placed_zone& outer, const placed_zone& inner, problem_list& problems) {
  const dns::name& apex = inner.zone.apex();
  const place at_name = inner.table.at("name");
  if (const dns::name* cut = outer.zone.cut_above(apex)) {
    if (*cut != apex) {
      problems.add(at_name, "zone " + apex.text() + " lies in the delegation of " + cut->text() + " in zone " +
                                outer.zone.apex().text() + ", whose servers answer for it");
    }
    return;
  }
  std::optional<dns::name> hidden;
  outer.zone.for_each([&](const dns::name& owner, const dns::node& node) {
    if (node.is_empty() || !owner.is_at_or_below(apex)) return;
    if (!hidden || owner < *hidden) hidden = owner;
  });
  if (hidden) {
    problems.add(at_name, "zone " + apex.text() + " hides " + hidden->text() + " of zone " + outer.zone.apex().text() +
                              ": expected the records in the inner zone only");
  }
}

void check_nesting(const std::vector<placed_zone>& all, problem_list& problems) {
  std::unordered_map<dns::name, const placed_zone*, dns::name_hash> by_apex;
  for (const placed_zone& one : all) by_apex.emplace(one.zone.apex(), &one);
  for (const placed_zone& inner : all) {
    dns::name ancestor = inner.zone.apex();
    while (!ancestor.is_root()) {
      ancestor = ancestor.parent();
      if (const auto outer = by_apex.find(ancestor); outer != by_apex.end())
        check_nesting(*outer->second, inner, problems);
    }
  }
}

}  // namespace

dns::zone_set read_zones(table_reader& root, const std::filesystem::path& folder, const balance_sources& sources,
                         problem_list& problems) {
  std::vector<placed_zone> all;
  std::unordered_map<dns::name, place, dns::name_hash> seen;
  for (table_reader& table : root.tables("zone")) {
    const auto apex = read_apex(table);
    dns::zone zone = read_zone(table, apex, folder, sources, problems);
    if (!apex) continue;
    const auto [earlier, is_new] = seen.emplace(*apex, table.at("name"));
    if (is_new) {
      all.push_back({std::move(zone), table});
    } else {
      table.complain("name", table.at("name"),
                     "zone " + apex->text() + " is given twice, first in line " + std::to_string(earlier->second.line));
    }
  }
  check_nesting(all, problems);
  dns::zone_set zones;
  for (placed_zone& one : all) {
    if (const auto added = zones.add(std::move(one.zone)); !added) problems.add(one.table.at(), added.error().message);
  }
  return zones;
}

}  // namespace nearside::config
