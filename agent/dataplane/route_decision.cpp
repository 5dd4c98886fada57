// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <atomic>

#include "agent/dataplane/route_watch.hpp"

namespace nearside::dataplane {

namespace {

// An interface may be a VLAN device on a VLAN device; more levels the program does not read either.
constexpr int most_tags = 2;

bool leaves_by(const network& seen, std::uint32_t device, std::uint32_t attached) {
  for (int level = 0; level <= most_tags; ++level) {
    if (device == attached) return true;
    const auto link = seen.links.find(device);
    if (link == seen.links.end() || link->second.parent == 0) return false;
    device = link->second.parent;
  }
  return false;
}

std::string name_of(const network& seen, std::uint32_t device) {
  const auto link = seen.links.find(device);
  return link == seen.links.end() ? "interface " + std::to_string(device) : link->second.name;
}

}  // namespace

route_decision decide_route(const network& seen, std::span<const std::uint32_t> attached) {
  const auto lookup = [](std::string reason) { return route_decision{reply_route::lookup, std::move(reason)}; };
  if (attached.empty()) return lookup("no interface is attached");
  if (attached.size() > 1) return lookup("more than one interface is attached");
  if (seen.other_tables) return lookup("routing rules use other tables than main");
  bool any = false;
  for (const route& r : seen.routes) {
    if (r.devices.empty()) return lookup("a route has no device");
    for (const std::uint32_t device : r.devices) {
      if (const auto link = seen.links.find(device); link != seen.links.end() && link->second.loopback) continue;
      if (!leaves_by(seen, device, attached[0])) return lookup("a route leaves by " + name_of(seen, device));
      any = true;
    }
  }
  if (!any) return lookup("there is no route by " + name_of(seen, attached[0]));
  return {reply_route::swap, "all routes leave by " + name_of(seen, attached[0])};
}

bool apply_route(const object& tables, reply_route how) noexcept {
  const std::atomic_ref<__u32> flags(tables.config().flags);
  const __u32 before = how == reply_route::lookup ? flags.fetch_or(CONFIG_ROUTE_LOOKUP, std::memory_order_release)
                                                  : flags.fetch_and(~CONFIG_ROUTE_LOOKUP, std::memory_order_release);
  return ((before & CONFIG_ROUTE_LOOKUP) != 0) != (how == reply_route::lookup);
}

reply_route current_route(const object& tables) noexcept {
  const __u32 flags = std::atomic_ref<__u32>(tables.config().flags).load(std::memory_order_acquire);
  return (flags & CONFIG_ROUTE_LOOKUP) != 0 ? reply_route::lookup : reply_route::swap;
}

}  // namespace nearside::dataplane
