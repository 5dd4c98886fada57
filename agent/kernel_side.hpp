// SPDX-License-Identifier: BSD-2-Clause
// The agent's hold on the XDP program's tables: one owner of the pins, published zones, addresses, lease, way of the
// replies. Owned by the daemon; one thread. No sockets and no loops: the daemon says when.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"
#include "agent/config/settings.hpp"
#include "agent/dataplane/lease.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dataplane/route_watch.hpp"

namespace nearside {

class kernel_side {
 public:
  /// Opens what is pinned below `pins`, or makes it, and takes over what an earlier agent has published. Errors: no BPF
  /// file system, a capability missing, a kernel too old, another agent (each a sentence that says what to do).
  static result<std::unique_ptr<kernel_side>> open(const std::filesystem::path& pins,
                                                   const config::map_settings& sizes);

  /// Publishes by differences; keeps the stats, also those notes about what the kernel has no room for. `stale`: what
  /// pools answer past the lease; empty: what they answered before.
  /// `rules`: how mapped names are answered, by their number.
  result<void> publish(const dns::zone_set& zones, const dns::choices& chosen, const dns::choices& stale,
                       std::span<const dataplane::site_rule> rules = {});
  /// Brings the answers of these pools to `chosen`. Returns when the same is to be done again, or published, if the
  /// kernel had no room for an answer.
  std::optional<std::chrono::steady_clock::time_point> change(const dns::choices& chosen,
                                                              std::span<const std::uint32_t> pools);
  /// Mapped names that are answered by site and alike.
  [[nodiscard]] std::span<const dataplane::site_group> site_groups() const noexcept {
    return publisher_->site_groups();
  }
  /// Brings the answers of these sites to what is wanted. True: the kernel had no room for one, and the same is to be
  /// done again in a second.
  bool set_sites(std::span<const dataplane::site_change> changes);
  /// From now on the agent answers everything by site.
  void forget_sites() { publisher_->forget_sites(); }
  /// Addresses and port, sampling, the way of the replies, and what is answered past the lease, as in the settings.
  result<void> apply(const config::settings& options);
  /// The program answers for `duration` from now. The first call measures the kernel's clock, which takes a quarter of
  /// a second.
  result<void> renew_lease(std::chrono::milliseconds duration);
  /// Decides anew how replies are sent; true when that changed it.
  result<bool> decide_route(const config::answering_settings& answering);

  /// Maps keep the sizes that they were made with: logs where the configuration asks for others.
  void warn_of_other_sizes(const config::map_settings& wanted) const;

  [[nodiscard]] const dataplane::object& tables() const noexcept { return tables_; }
  [[nodiscard]] const dataplane::publish_stats& last_publish() const noexcept { return stats_; }
  [[nodiscard]] const std::string& route_reason() const noexcept { return route_reason_; }
  /// Zero before the first renewal and after it has run out.
  [[nodiscard]] std::chrono::milliseconds lease_remaining() const;

 private:
  kernel_side(dataplane::object tables, unique_fd lock) : tables_(std::move(tables)), lock_(std::move(lock)) {}

  dataplane::object tables_;
  unique_fd lock_;
  std::optional<dataplane::publisher> publisher_;  // refers to tables_
  std::optional<dataplane::lease> lease_;
  dataplane::publish_stats stats_;
  std::string route_reason_;
};

}  // namespace nearside
