// SPDX-License-Identifier: BSD-2-Clause
// What pools answer where nothing is measured: all their servers, in rotation. Used by the daemon for its first
// choices.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "agent/dns/choice.hpp"
#include "agent/dns/rr_type.hpp"
#include "agent/dns/zone.hpp"

namespace nearside {

/// As many alternatives as records, each beginning with another one and going round; for `ttl` seconds.
[[nodiscard]] inline dns::choice rotation_of(std::size_t records, std::uint32_t ttl) {
  constexpr std::size_t most_alternatives = 255;  // the kernel counts them in one octet
  dns::choice all{dns::choice::kind::answer, false, ttl, {}};
  records = std::min(records, most_alternatives);
  for (std::size_t first = 0; first < records; ++first) {
    dns::alternative one;
    for (std::size_t i = 0; i < records; ++i) one.order.push_back(static_cast<std::uint8_t>((first + i) % records));
    all.alternatives.push_back(std::move(one));
  }
  return all;
}

/// For every pool of the zones: all servers of each family, or NODATA where it has none.
[[nodiscard]] inline dns::choices plain_choices(const dns::zone_set& zones) {
  dns::choices all;
  for (const dns::zone& zone : zones.zones()) {
    zone.for_each([&all](const dns::name&, const dns::node& node) {
      for (const dns::rrset& set : node.rrsets) {
        if (set.pool == dns::NO_POOL) continue;
        if (all.size() <= set.pool) all.resize(std::size_t{set.pool} + 1);
        all[set.pool].families[set.type == dns::rr_type::aaaa ? 1 : 0] = rotation_of(set.rdatas.size(), set.ttl);
      }
    });
  }
  return all;
}

}  // namespace nearside
