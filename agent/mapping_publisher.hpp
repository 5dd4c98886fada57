// SPDX-License-Identifier: BSD-2-Clause
// Brings the mapping to the kernel: what each site is referred to, and which clients belong to which site. Owned by the
// daemon of a backbone node; one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "agent/backbone_side.hpp"
#include "agent/config/load.hpp"
#include "agent/kernel_side.hpp"
#include "agent/mapping/due_sites.hpp"

namespace nearside {

/// How the kernel answers each mapped name, by its number.
[[nodiscard]] std::vector<dataplane::site_rule> site_rules_of(const config::loaded& from);

class mapping_publisher {
 public:
  /// The rows that an earlier agent has left in the kernel count, with that agent's sites, until the first publish().
  /// Both must outlive it.
  mapping_publisher(const boost::asio::any_io_executor& executor, kernel_side& kernel, backbone_side& known)
      : kernel_(kernel), known_(known), next_(executor), again_(executor), resting_(executor) {}
  mapping_publisher(const mapping_publisher&) = delete;
  mapping_publisher& operator=(const mapping_publisher&) = delete;
  ~mapping_publisher() = default;

  /// The zones that names are rendered from, after kernel_side::publish() of them. Groups of names that are new get the
  /// answers of all sites.
  void zones_changed(std::shared_ptr<const dns::zone_set> zones);
  /// Brings the kernel to what has changed; much at once is done in small pieces, between which others have their turn.
  /// The first time it is given everything, and until that is done the agent answers mapped names.
  void publish(const backbone_side::news& changed);

 private:
  void begin();
  void all_sites_due();
  void work();
  void work_on();
  void finish();
  void set_sites(std::span<const mapping::site_id> sites);
  [[nodiscard]] dataplane::answer_images answer_of(const dataplane::site_group& group, mapping::site_id site) const;
  [[nodiscard]] dataplane::client_row row_of(const mapping::prefix& who, mapping::site_id site) const;
  void change_rows(std::span<const mapping::row_change> changes);
  void try_again();
  void release_later(const std::vector<mapping::site_id>& sites);

  kernel_side& kernel_;
  backbone_side& known_;
  std::shared_ptr<const dns::zone_set> zones_;
  std::optional<std::chrono::steady_clock::time_point> begun_;  // the kernel's rows are made of ours since
  bool loading_ = false;                                        // and not yet all there
  bool begins_ = false;                                         // or will be in a moment
  mapping::due_sites urgent_;                                   // what is to be told, in this order
  mapping::due_sites others_;
  std::size_t untold_ = 0;  // the first ones of them: while rows are loaded, those without an answer yet
  std::deque<mapping::row_change> rows_due_;
  std::deque<mapping::site_id> free_due_;
  bool unwritten_ = false;                 // there are rows that people do not see yet
  std::set<mapping::site_id> unsettled_;   // the kernel had no room for their answers
  std::vector<mapping::site_id> at_rest_;  // numbers that are given to others in a moment
  std::vector<mapping::site_id> free_;     // and those that rest after them
  bool tries_again_ = false;
  boost::asio::steady_timer next_;
  boost::asio::steady_timer again_;
  boost::asio::steady_timer resting_;
};

}  // namespace nearside
