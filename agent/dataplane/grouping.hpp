// SPDX-License-Identifier: BSD-2-Clause
// Which names may share an answer set: pure planning, before anything is written. Used by the publisher.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/dataplane/name_row.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

/// A name that the kernel can answer, and the group it belongs to.
struct wanted_name {
  name_key key{};
  std::string wire;  // lower-cased
  std::uint8_t zone_octets = 0;
  std::uint32_t group = 0;
  bool admitted = false;  // there is room for it in the maps; decided by the publisher
};

/// How the mapped name with a number (dns::node::mapped) is answered.
struct site_rule {
  bool by_site = false;       // with referrals, by the site of the source address; else the agent answers
  bool ecs_to_agent = false;  // but not a query with a client subnet
  std::uint32_t ttl = 0;      // of the referral

  friend bool operator==(const site_rule&, const site_rule&) = default;
};

/// Names with the same answers, now and after any decision: those of one zone with only A and AAAA RRsets, equal in
/// content and pool; any other name is alone.
struct name_group {
  std::string signature;     // what makes the group: two groups with one signature have the same members' content
  dns::name representative;  // any of its names; the images do not depend on which
  std::uint8_t zone_octets = 0;
  site_rule rule;  // of mapped names: all of one zone with one rule are a group
};

struct grouping {
  std::vector<wanted_name> names;
  std::vector<name_group> groups;
};

/// All names of the zones that the kernel can answer: no wildcards, no empty non-terminals, nothing at or below a zone
/// cut or in a zone of its own, no CNAME owners, mapped names as their rule says and nothing below them. `hash_key`:
/// two words. `rules`: by the number of a mapped name.
[[nodiscard]] grouping group_names(const dns::zone_set& zones, const __u64* hash_key,
                                   std::span<const site_rule> rules = {});

}  // namespace nearside::dataplane
