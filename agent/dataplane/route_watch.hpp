// SPDX-License-Identifier: BSD-2-Clause
// Decides how the program sends its replies. Swapping the MAC addresses is right only where every route back leaves by
// the interface that the query came in on; else the program asks the routing table for each reply. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::dataplane {

enum class reply_route { swap, lookup };

/// One unicast route of the tables main or default. Several next hops: several devices.
struct route {
  std::vector<std::uint32_t> devices;  // interface indices
};

struct interface_link {
  std::uint32_t index = 0;
  std::uint32_t parent = 0;  // of a VLAN device: the one below it; else 0
  bool loopback = false;
  std::string name;
};

struct network {
  std::vector<route> routes;
  std::map<std::uint32_t, interface_link> links;  // by index
  bool other_tables = false;  // rules or routes send some packets by other tables than main and default
};

struct route_decision {
  reply_route how = reply_route::lookup;
  std::string reason;  // a sentence for the log and for `status`
};

/// Pure: `attached` are the indices of the interfaces that the program is attached to.
[[nodiscard]] route_decision decide_route(const network& seen, std::span<const std::uint32_t> attached);

class route_watch {
 public:
  /// Subscribes to changes of routes, rules and links of this network namespace.
  static result<route_watch> open();

  /// Becomes readable when something changed; owned by the watch (dup it for Asio).
  [[nodiscard]] int fd() const noexcept { return events_.get(); }
  /// Takes what is waiting on fd(), without blocking; true when there was something, so that a decision is due.
  result<bool> drain();
  /// Reads routes and links of both families.
  static result<network> read();

 private:
  route_watch() = default;
  unique_fd events_;
};

/// Puts the decision into config.flags; true when that changed it.
bool apply_route(const object& tables, reply_route how) noexcept;
/// What is in force.
[[nodiscard]] reply_route current_route(const object& tables) noexcept;

}  // namespace nearside::dataplane
