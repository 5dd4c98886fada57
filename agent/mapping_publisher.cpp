// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping_publisher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "agent/dataplane/image.hpp"

namespace nearside {
namespace {

using boost::system::error_code;

// After the kernel had no room, or refused.
constexpr std::chrono::milliseconds try_again_after{1000};
// Longer than any program runs that has seen a row with the number.
constexpr std::chrono::milliseconds site_rests{1000};
constexpr std::chrono::milliseconds begins_after{10};
// What work() does at once: a few milliseconds each.
constexpr std::size_t most_images = 128;
constexpr std::size_t most_rows = 4096;

/// Takes the first ones away.
template <typename Value>
std::vector<Value> first(std::deque<Value>& all, std::size_t most) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most));
  std::vector<Value> taken(std::make_move_iterator(all.begin()), std::make_move_iterator(end));
  all.erase(all.begin(), end);
  return taken;
}

}  // namespace

std::vector<dataplane::site_rule> site_rules_of(const config::loaded& from) {
  std::vector<dataplane::site_rule> rules;
  for (const config::mapped_name& name : from.mapped)
    rules.push_back({.by_site = name.how != config::mapped_mode::direct,
                     .ecs_to_agent = name.how == config::mapped_mode::automatic,
                     .ttl = name.referral_ttl});
  return rules;
}

void mapping_publisher::zones_changed(std::shared_ptr<const dns::zone_set> zones) {
  zones_ = std::move(zones);
  if (!begun_) return;
  // Names, modes and referrals may be other ones: each site is looked at, and what is the same costs no store.
  all_sites_due();
  work();
}

void mapping_publisher::publish(const backbone_side::news& changed) {
  urgent_.add(changed.sites);
  others_.add(changed.lonely);
  rows_due_.insert(rows_due_.end(), changed.rows.begin(), changed.rows.end());
  free_due_.insert(free_due_.end(), changed.free_sites.begin(), changed.free_sites.end());
  if (begun_) {
    work();
  } else if (!std::exchange(begins_, true)) {
    // Who has waited for the start is answered first.
    next_.expires_after(begins_after);
    next_.async_wait([this](const error_code& cancelled) {
      if (cancelled) return;
      begin();
      work();
    });
  }
}

// The rows of an earlier agent have its numbers of sites, which mean something else now.
void mapping_publisher::begin() {
  const auto now = std::chrono::steady_clock::now();
  if (auto done = kernel_.begin_rows(); !done) {
    spdlog::error("mapping not published error=\"{}\" retry={}ms", done.error().message, try_again_after.count());
    try_again();
    return;
  }
  begun_ = now;
  loading_ = true;
  all_sites_due();
  untold_ = others_.size();
}

void mapping_publisher::all_sites_due() {
  std::vector<mapping::site_id> all(known_.rows().sites_end());
  std::iota(all.begin(), all.end(), mapping::site_id{0});
  others_.add(all);
}

// In the order that mapping::table::take_changes() asks for, and no more than a few milliseconds at a time: who asks
// meanwhile is answered between two of these. A dead edge does not wait for what a start or a reload has left to do.
void mapping_publisher::work() {
  if (!begun_) return;
  if (loading_ && kernel_.clear_rows()) {
    work_on();
    return;
  }
  const std::size_t most =
      std::max<std::size_t>(1, most_images / std::max<std::size_t>(1, kernel_.site_groups().size()));
  set_sites(urgent_.take(most));
  if (urgent_.empty()) {
    const auto now = others_.take(most);
    set_sites(now);
    untold_ -= std::min(untold_, now.size());
    if (!rows_due_.empty() || unwritten_) change_rows(first(rows_due_, most_rows));
    if (rows_due_.empty()) {
      if (loading_ && untold_ == 0) finish();
      // Rows no longer name them.
      if (const auto free = first(free_due_, most); !free.empty()) {
        set_sites(free);
        release_later(free);
      }
    }
  }
  if (!urgent_.empty() || !others_.empty() || !rows_due_.empty() || !free_due_.empty() || unwritten_) work_on();
}

void mapping_publisher::work_on() {
  next_.expires_after({});
  next_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) work();
  });
}

void mapping_publisher::finish() {
  loading_ = false;
  kernel_.finish_rows();
  unwritten_ = true;  // what people still see of the rows before
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - *begun_);
  spdlog::info("mapping loaded rows={} sites={} left_to_userland={} took={}ms", known_.rows().size(),
               known_.rows().sites_end(), unsettled_.size(), took.count());
}

void mapping_publisher::set_sites(std::span<const mapping::site_id> sites) {
  std::vector<dataplane::site_change> changes;
  for (const dataplane::site_group& group : kernel_.site_groups())
    for (const mapping::site_id site : sites) changes.push_back({group.number, site, answer_of(group, site)});
  if (changes.empty()) return;
  if (kernel_.set_sites(changes)) {
    unsettled_.insert(sites.begin(), sites.end());
    try_again();
  }
}

dataplane::answer_images mapping_publisher::answer_of(const dataplane::site_group& group, mapping::site_id site) const {
  const backbone::directory& says = *known_.directory();
  dataplane::answer_images made;
  const auto add = [&](const std::shared_ptr<const dns::referral>& to, std::uint16_t share, std::uint8_t other) {
    auto one = zones_ ? dataplane::render_referral(*zones_, group.representative, to) : std::nullopt;
    if (!one) return false;
    one->share = share;
    one->other = other;
    made.images.push_back(std::move(*one));
    return true;
  };
  if (site != mapping::default_site) {
    if (known_.rows().edges_of(site).empty()) return {};
    // In mode auto the agent answers in the stead of an edge that is dead, by reports that age.
    if (group.rule.ecs_to_agent && !known_.nearest_lives(site)) return {};
    if (const auto to = says.referral_of(site, group.rule.ttl)) {
      if (!add(to, 0xffff, 0)) return {};
      return made;
    }
  }
  if (says.default_by_address()) return {};
  const auto all = says.default_alternatives(group.rule.ttl);
  if (all.referrals.size() != all.shares.size()) return {};
  for (std::size_t i = 0; i < all.referrals.size(); ++i)
    if (!add(all.referrals[i], all.shares[i].share, all.shares[i].other)) return {};
  return made;
}

dataplane::client_row mapping_publisher::row_of(const mapping::prefix& who, mapping::site_id site) const {
  dataplane::client_row row;
  row.who = who;
  row.site = site;
  for (const auto& address : known_.addresses_of(site)) {
    if (address.is_v4())
      row.edge.ipv4 = address.to_v4().to_bytes();
    else
      row.edge.ipv6 = address.to_v6().to_bytes();
  }
  return row;
}

// Without changes it tries again what found no room, and goes on with what people see.
void mapping_publisher::change_rows(std::span<const mapping::row_change> changes) {
  std::vector<kernel_side::row_change> told;
  told.reserve(changes.size());
  for (const mapping::row_change& row : changes)
    told.push_back({row_of(row.who, row.site.value_or(mapping::default_site)), !row.site.has_value()});
  unwritten_ = false;
  if (auto done = kernel_.change_rows(told); !done) {
    spdlog::error("rows not shown error=\"{}\" retry={}ms", done.error().message, try_again_after.count());
    try_again();
    return;
  }
  const auto& now = kernel_.last_rows();
  unwritten_ = now.unwritten > 0;
  if (now.left_blocks4 > 0 || now.left_rows6 > 0) try_again();
}

void mapping_publisher::try_again() {
  if (std::exchange(tries_again_, true)) return;
  again_.expires_after(try_again_after);
  again_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    tries_again_ = false;
    if (!begun_) begin();
    others_.add(std::vector<mapping::site_id>(unsettled_.begin(), unsettled_.end()));
    unsettled_.clear();
    unwritten_ = true;
    work();
  });
}

// Numbers that come while others rest wait for the next turn, so that each rests long enough.
void mapping_publisher::release_later(const std::vector<mapping::site_id>& sites) {
  free_.insert(free_.end(), sites.begin(), sites.end());
  if (!at_rest_.empty()) return;
  at_rest_.swap(free_);
  resting_.expires_after(site_rests);
  resting_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    known_.release(at_rest_);
    at_rest_.clear();
    if (!free_.empty()) release_later({});
  });
}

}  // namespace nearside
