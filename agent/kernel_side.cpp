// SPDX-License-Identifier: BSD-2-Clause
#include "agent/kernel_side.hpp"

#include <net/if.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "agent/admin/instance_lock.hpp"
#include "agent/dataplane/attach.hpp"
#include "agent/dataplane/listen.hpp"

namespace nearside {
namespace {

dataplane::map_sizes sizes_of(const config::map_settings& wanted) {
  dataplane::map_sizes sizes;
  sizes.names = wanted.names;
  sizes.long_names = wanted.long_names;
  sizes.sets = wanted.sets;
  sizes.small_images = wanted.small_images;
  sizes.large_images = wanted.large_images.value();
  sizes.mapping4 = wanted.mapping4.value_or(0);
  sizes.mapping6 = wanted.mapping6.value_or(0);
  sizes.sites = wanted.sites.value_or(1);
  sizes.mapped_sets = wanted.mapped_sets.value_or(1);
  return sizes;
}

}  // namespace

result<std::unique_ptr<kernel_side>> kernel_side::open(const std::filesystem::path& pins,
                                                       const config::map_settings& sizes) {
  auto tables = dataplane::object::open_or_create(pins, sizes_of(sizes));
  if (!tables) return tables.error();
  auto lock = admin::lock_directory(pins / "maps", tables->config().agent_pid);
  if (!lock) return lock.error();

  std::unique_ptr<kernel_side> kernel(new kernel_side(std::move(*tables), std::move(*lock)));
  kernel->warn_of_other_sizes(sizes);
  auto opened = kernel->tables_.read_clock();
  if (!opened) return opened.error();
  kernel->opened_ = *opened;
  kernel->tables_.config().agent_pid = static_cast<std::uint32_t>(::getpid());
  auto publisher = dataplane::publisher::adopt(kernel->tables_);
  if (!publisher) return publisher.error();
  kernel->publisher_.emplace(std::move(*publisher));
  kernel->clients_.emplace(kernel->tables_);
  return kernel;
}

void kernel_side::warn_of_other_sizes(const config::map_settings& wanted) const {
  const auto compare = [&](const char* what, std::uint32_t asked, std::uint32_t there) {
    if (asked == there) return;
    spdlog::warn(
        "maps.{} keeps its size pinned={} configured={} hint=\"a new size needs new maps: stop the agent, "
        "`nearside detach IFACE --purge`, start it, attach again\"",
        what, there, asked);
  };
  using dataplane::map_id;
  compare("names", wanted.names, tables_.capacity(map_id::names_short));
  compare("long_names", wanted.long_names, tables_.capacity(map_id::names_long));
  compare("sets", wanted.sets, tables_.sets());
  compare("small_images", wanted.small_images, tables_.capacity(map_id::slots_small));
  compare("large_images", wanted.large_images.value(), tables_.capacity(map_id::slots_large));
  const auto sizes = sizes_of(wanted);
  compare("mapping4", std::max(sizes.mapping4, 1u), tables_.capacity(map_id::mapping4));
  compare("mapping6", std::max(sizes.mapping6, 1u), tables_.capacity(map_id::mapping6));
  compare("sites", sizes.sites, tables_.sites());
  compare("mapped_sets", sizes.mapped_sets, tables_.mapped_sets());
}

result<void> kernel_side::publish(const dns::zone_set& zones, const dns::choices& chosen, const dns::choices& stale,
                                  std::span<const dataplane::site_rule> rules) {
  auto done = publisher_->publish(zones, chosen, stale, rules);
  if (!done) return done.error();
  stats_ = std::move(*done);
  spdlog::info(
      "published names={} sets={} added={} rebound={} removed={} answers_changed={} images_written={} "
      "left_to_userland={}",
      stats_.names, stats_.sets, stats_.names_added, stats_.names_rebound, stats_.names_removed, stats_.answers_changed,
      stats_.images_written, stats_.left_to_userland);
  for (const auto& note : stats_.notes) spdlog::warn("left to userland reason=\"{}\"", note);
  return {};
}

std::optional<std::chrono::steady_clock::time_point> kernel_side::change(const dns::choices& chosen,
                                                                         std::span<const std::uint32_t> pools) {
  const auto done = publisher_->change(chosen, pools);
  spdlog::debug("answers changed pools={} words={} images={}", pools.size(), done.answers_changed, done.images_written);
  for (const auto& note : done.notes) spdlog::warn("left to userland reason=\"{}\"", note);
  return done.again_at;
}

std::optional<std::chrono::steady_clock::time_point> kernel_side::set_sites(
    std::span<const dataplane::site_change> changes) {
  const auto done = publisher_->set_sites(changes);
  spdlog::debug("sites changed sites={} words={} images={}", changes.size(), done.site_answers_changed,
                done.images_written);
  // Many pieces say the same.
  for (const auto& note : done.notes)
    if (const auto untold = site_lines_.tell(std::chrono::steady_clock::now()))
      spdlog::warn("left to userland reason=\"{}\" untold={}", note, *untold);
  return done.again_at;
}

result<void> kernel_side::begin_rows() {
  if (auto begun = clients_->begin_loading(); !begun) return begun;
  // The old rows' sites are not those of the new ones.
  publisher_->forget_sites();
  return {};
}

result<void> kernel_side::change_rows(std::span<const row_change> changes) {
  for (const row_change& one : changes) {
    if (one.gone) {
      clients_->erase(one.row.who);
    } else {
      clients_->put(one.row);
    }
  }
  auto done = clients_->flush();
  if (!done) return done.error();
  if (!changes.empty()) spdlog::debug("rows changed rows={} written={}", changes.size(), done->written);
  keep(std::move(*done));
  return {};
}

// Told once, not at each of many changes.
void kernel_side::keep(dataplane::client_table_stats stats) {
  const bool was_short = !rows_.notes.empty();
  rows_ = std::move(stats);
  if (was_short) return;
  for (const auto& note : rows_.notes) spdlog::warn("left to userland reason=\"{}\"", note);
}

result<void> kernel_side::apply(const config::settings& options) {
  std::atomic_ref(tables_.config().sample_interval).store(options.events.sample_interval, std::memory_order_relaxed);
  dataplane::apply_stale_rule(tables_, options.answering.stale == config::stale_rule::all
                                           ? dataplane::stale_rule::answer
                                           : dataplane::stale_rule::pass);
  if (auto decided = decide_route(options.answering); !decided) return decided.error();
  if (auto set = dataplane::set_listen(tables_, options.answering.port, options.answering.listen,
                                       options.answering.direct_listen);
      !set)
    return set.error();
  return {};
}

result<void> kernel_side::renew_lease(std::chrono::milliseconds duration) {
  if (!lease_) {
    auto calibrated = dataplane::lease::calibrate(tables_, opened_);
    if (!calibrated) return calibrated.error();
    lease_.emplace(*calibrated);
  }
  return lease_->renew(tables_, duration);
}

result<bool> kernel_side::decide_route(const config::answering_settings& answering) {
  dataplane::route_decision decision;
  switch (answering.replies) {
    case config::reply_route::swap:
      decision = {dataplane::reply_route::swap, "replies = \"swap\" in the configuration"};
      break;
    case config::reply_route::lookup:
      decision = {dataplane::reply_route::lookup, "replies = \"lookup\" in the configuration"};
      break;
    case config::reply_route::automatic: {
      auto attached = dataplane::attachments(tables_.root());
      if (!attached) return attached.error();
      std::vector<std::uint32_t> indices;
      for (const auto& one : *attached)
        if (one.interface_index != 0) indices.push_back(one.interface_index);
      // Before anything is attached, what is configured tells where queries will come in.
      if (indices.empty())
        for (const auto& interface : answering.interfaces)
          if (const auto index = ::if_nametoindex(interface.c_str()); index != 0) indices.push_back(index);
      auto seen = dataplane::route_watch::read();
      if (!seen) return seen.error();
      decision = dataplane::decide_route(*seen, indices);
      break;
    }
  }
  const bool changed = dataplane::apply_route(tables_, decision.how);
  if (changed || decision.reason != route_reason_)
    spdlog::info("replies way={} reason=\"{}\"", decision.how == dataplane::reply_route::swap ? "swap" : "lookup",
                 decision.reason);
  route_reason_ = std::move(decision.reason);
  return changed;
}

std::chrono::milliseconds kernel_side::lease_remaining() const {
  if (!lease_) return {};
  const auto left = lease_->remaining(tables_);
  return left ? std::chrono::duration_cast<std::chrono::milliseconds>(*left) : std::chrono::milliseconds(0);
}

}  // namespace nearside
