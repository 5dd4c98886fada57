// SPDX-License-Identifier: BSD-2-Clause
// Any text as a configuration file: problems that can be printed, or zones that are whole and pools, targets and checks
// that refer to each other as they should. Seeds: tests/fuzz/seeds/config.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "agent/config/load.hpp"
#include "agent/dns/rr_type.hpp"

namespace {

using namespace nearside;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_targets(const config::measuring& measured) {
  std::set<std::string> keys;
  std::set<std::string> labels;
  require(measured.targets.size() == measured.probes.size());
  for (std::size_t i = 0; i < measured.targets.size(); ++i) {
    const score::target& target = measured.targets[i];
    require(keys.insert(target.key).second && labels.insert(target.label).second);
    require(measured.probes[i].check < measured.checks.size());
    const config::check& check = measured.checks[measured.probes[i].check];
    require(check.name == target.check && check.interval == target.interval);
    require(check.timeout <= check.interval && check.health.rise <= check.health.rise_most);
  }
}

void check_pools(const config::measuring& measured) {
  std::set<std::string> keys;
  for (const score::pool& pool : measured.pools) {
    require(keys.insert(pool.key).second && !pool.label.empty());
    require(!pool.members.empty() && pool.rules.minimum_healthy <= pool.members.size());
    require(pool.rules.ttl_min <= pool.rules.ttl);
    for (const auto& family : pool.families) {
      for (const score::pool_address& address : family.addresses) {
        require(address.member < pool.members.size());
        for (const std::size_t target : address.targets) require(target < measured.targets.size());
      }
    }
  }
}

/// The RRsets of a name in a pool have the pool's addresses, one by one, and then its fallbacks.
void check_records(const config::loaded& good) {
  for (const dns::zone& zone : good.zones->zones()) {
    zone.for_each([&](const dns::name&, const dns::node& node) {
      for (const dns::rrset& set : node.rrsets) {
        if (set.pool == dns::no_pool) continue;
        require(set.pool < good.servers.pools.size());
        const score::pool& pool = good.servers.pools[set.pool];
        const auto& family = pool.families[set.type == dns::rr_type::aaaa ? 1 : 0];
        require(set.rdatas.size() == family.addresses.size() + family.fallbacks && set.rdatas.size() <= 255);
        require(set.ttl == pool.rules.ttl.count());
      }
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // No such folder: a master file with a relative path is never found.
  const auto result = load_text(text, "/nonexistent/edge.toml");
  if (const auto* problems = std::get_if<std::vector<problem>>(&result)) {
    if (problems->empty()) std::abort();
    for (const problem& p : *problems) {
      if (p.message.empty() || to_string(p).find(p.message) == std::string::npos) std::abort();
    }
    return 0;
  }
  const loaded& good = std::get<loaded>(result);
  if (good.options.answering.listen.empty() || good.options.answering.port == 0) std::abort();
  for (const auto& zone : good.zones->zones()) {
    if (!zone.check()) std::abort();
  }
  check_targets(good.servers);
  check_pools(good.servers);
  check_records(good);
  return 0;
}
