// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/grouping.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

namespace nearside::dataplane {

namespace {

constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_cname = 5;
constexpr std::uint16_t type_aaaa = 28;

void append_number(std::string& text, std::uint64_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_octets(std::string& text, std::span<const std::uint8_t> octets) {
  append_number(text, octets.size());
  text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
}

// In the order of the types, so that the order of RRsets in the node does not matter.
void append_rrset(std::string& text, const dns::node& node, std::uint16_t type) {
  const dns::rrset* const records = node.find(type);
  if (records == nullptr) {
    append_number(text, 0);
    return;
  }
  append_number(text, type);
  append_number(text, records->pool);
  // In a pool, what is decided for it says how long and in which order.
  append_number(text, records->pool == dns::no_pool ? records->ttl : 0);
  append_number(text, records->pool == dns::no_pool && records->balanced ? 1 : 0);
  append_number(text, records->rdatas.size());
  for (const dns::rdata& data : records->rdatas) append_octets(text, data);
}

bool has_only_addresses(const dns::node& node) {
  return std::all_of(node.rrsets.begin(), node.rrsets.end(),
                     [](const dns::rrset& records) { return records.type == type_a || records.type == type_aaaa; });
}

std::string signature_of(const dns::zone& zone, std::string_view owner, const dns::node& node, const site_rule& rule) {
  std::string signature;
  append_octets(signature, zone.apex().wire());
  if (rule.by_site) {
    signature.append(rule.ecs_to_agent ? "by site but for ECS " : "by site ");
    append_number(signature, rule.ttl);
    return signature;
  }
  if (!has_only_addresses(node)) return signature.append("own ").append(owner);
  append_rrset(signature, node, type_a);
  append_rrset(signature, node, type_aaaa);
  return signature;
}

bool is_for_kernel(const dns::zone_set& zones, const dns::zone& zone, const dns::name& owner, const dns::node& node,
                   const site_rule& rule) {
  if (node.mapped != dns::no_mapped) {
    if (!rule.by_site) return false;
  } else if (zone.mapped_above(owner) != nullptr) {
    return false;
  }
  if (node.is_empty() || owner.is_wildcard() || node.find(type_cname) != nullptr) return false;
  if (zone.cut_above(owner) != nullptr) return false;
  return zones.enclosing(owner) == &zone;
}

}  // namespace

grouping group_names(const dns::zone_set& zones, const __u64* hash_key, std::span<const site_rule> rules) {
  grouping made;
  std::size_t most = 0;
  for (const dns::zone& zone : zones.zones()) most += zone.size();
  made.names.reserve(most);
  std::unordered_map<std::string, std::uint32_t> by_signature;
  for (const dns::zone& zone : zones.zones()) {
    const auto zone_octets = static_cast<std::uint8_t>(zone.apex().wire().size());
    zone.for_each([&](const dns::name& owner, const dns::node& node) {
      const site_rule rule = node.mapped < rules.size() ? rules[node.mapped] : site_rule{};
      if (!is_for_kernel(zones, zone, owner, node, rule)) return;
      const name_words words = to_words(owner.wire(), hash_key);
      wanted_name wanted;
      wanted.key = words.key;
      wanted.wire.assign(reinterpret_cast<const char*>(words.words.data()), owner.wire().size());
      wanted.zone_octets = zone_octets;
      const auto next = static_cast<std::uint32_t>(made.groups.size());
      const auto [group, added] = by_signature.try_emplace(signature_of(zone, wanted.wire, node, rule), next);
      wanted.group = group->second;
      if (added) made.groups.push_back({group->first, owner, zone_octets, rule});
      made.names.push_back(std::move(wanted));
    });
  }
  return made;
}

}  // namespace nearside::dataplane
