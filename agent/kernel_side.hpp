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

#include "agent/base/log_limit.hpp"
#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"
#include "agent/config/settings.hpp"
#include "agent/dataplane/client_table.hpp"
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
  /// `rules`: how mapped names are answered, by their number; without one they are left to the agent.
  result<void> publish(const dns::zone_set& zones, const dns::choices& chosen, const dns::choices& stale,
                       std::span<const dataplane::site_rule> rules = {});
  /// Brings the answers of these pools to `chosen`. Returns when the same is to be done again, or published, if the
  /// kernel had no room for an answer.
  std::optional<std::chrono::steady_clock::time_point> change(const dns::choices& chosen,
                                                              std::span<const std::uint32_t> pools);

  // ---- a backbone node: mapped names, answered by site ----
  /// After each publish(): the groups whose sites are to be told, all of them where a group is fresh.
  [[nodiscard]] std::span<const dataplane::site_group> site_groups() const noexcept {
    return publisher_->site_groups();
  }
  /// Brings these sites' referrals to what is wanted (dataplane::render_referral). Returns as change().
  std::optional<std::chrono::steady_clock::time_point> set_sites(std::span<const dataplane::site_change> changes);
  /// The mapping anew, as after a start: the agent answers mapped names until finish_rows(). Before that clear_rows()
  /// is called until it is false, then set_sites() and change_rows() tell all there is.
  result<void> begin_rows();
  bool clear_rows() { return clients_->clear_some(); }
  void finish_rows() { clients_->finish_loading(); }
  /// Rows that came, changed or went (no site), in this order: the sites that they name were told before, and numbers
  /// of sites that are free now are given away a second later at the earliest. Also to be called with none while
  /// last_rows() says that something is unwritten or found no room.
  struct row_change {
    dataplane::client_row row;
    bool gone = false;
  };
  result<void> change_rows(std::span<const row_change> changes);
  [[nodiscard]] const dataplane::client_table_stats& last_rows() const noexcept { return rows_; }

  /// Addresses and port, sampling, the way of the replies, and what is answered past the lease, as in the settings.
  result<void> apply(const config::settings& options);
  /// The program answers for `duration` from now. The first call measures the kernel's clock and blocks until a quarter
  /// of a second has passed since open().
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
  void keep(dataplane::client_table_stats stats);
  kernel_side(dataplane::object tables, unique_fd lock) : tables_(std::move(tables)), lock_(std::move(lock)) {}

  dataplane::object tables_;
  unique_fd lock_;
  std::optional<dataplane::publisher> publisher_;   // refers to tables_
  std::optional<dataplane::client_table> clients_;  // refers to tables_
  clock_reading opened_{};                          // when it was opened
  std::optional<dataplane::lease> lease_;
  dataplane::publish_stats stats_;
  dataplane::client_table_stats rows_;
  log_limit site_lines_{3, std::chrono::seconds(60)};
  std::string route_reason_;
};

}  // namespace nearside
