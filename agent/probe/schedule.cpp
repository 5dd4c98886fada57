// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace nearside::probe {
using namespace std::chrono_literals;

namespace {

constexpr score::duration first_spread = 1s;

score::duration scaled(score::duration wait, double factor) {
  return score::duration(std::llround(static_cast<double>(wait.count()) * factor));
}

}  // namespace

schedule::schedule(const config::probe_settings& bounds, std::vector<pace> targets, random_source random, instant now)
    : bounds_(bounds),
      spacing_(bounds.per_address > 0 ? scaled(1s, 1 / bounds.per_address) : duration::zero()),
      random_(std::move(random)) {
  std::map<boost::asio::ip::address, std::size_t> hosts;
  entries_.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(targets.size());
    entry& one = entries_.emplace_back();
    one.steps = std::move(targets[i]);
    one.host = hosts.try_emplace(one.steps.address, hosts.size()).first->second;
    const duration spread = std::min(first_spread, one.steps.interval);
    one.due = now + scaled(spread, place);
    // The first checks come in a second, and must not do so for ever.
    one.second = spread + scaled(one.steps.interval - spread, place);
  }
  hosts_.resize(hosts.size());
  for (host& each : hosts_) each.allowed = now;
  for (std::size_t i = 0; i < entries_.size(); ++i) put(i);
}

void schedule::put(std::size_t target) {
  const std::size_t number = entries_[target].host;
  host& here = hosts_[number];
  if (!here.due.empty()) queue_.erase({key(here), number});
  here.due.emplace(entries_[target].due, target);
  queue_.emplace(key(here), number);
}

void schedule::take(std::size_t target) {
  const std::size_t number = entries_[target].host;
  host& here = hosts_[number];
  queue_.erase({key(here), number});
  here.due.erase({entries_[target].due, target});
  if (!here.due.empty()) queue_.emplace(key(here), number);
}

schedule::duration schedule::interval(const entry& one) const {
  return one.in_use ? std::min(one.steps.interval, one.steps.interval_in_use) : one.steps.interval;
}

schedule::duration schedule::jittered(duration wait) { return scaled(wait, 1 + bounds_.jitter * (2 * random_() - 1)); }

std::optional<std::size_t> schedule::next(instant now) {
  if (under_way_ >= bounds_.concurrency || queue_.empty() || queue_.begin()->first > now) return std::nullopt;
  host& here = hosts_[queue_.begin()->second];
  const std::size_t target = here.due.begin()->second;
  take(target);
  const std::size_t number = entries_[target].host;
  if (!here.due.empty()) queue_.erase({key(here), number});
  here.allowed = now + spacing_;
  if (!here.due.empty()) queue_.emplace(key(here), number);

  entry& one = entries_[target];
  if (now - one.due > interval(one)) ++late_;
  one.started = now;
  one.starts = std::min(one.starts + 1, 2U);
  one.running = true;
  ++under_way_;
  return target;
}

std::optional<schedule::instant> schedule::wake() const {
  if (under_way_ >= bounds_.concurrency || queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

void schedule::finished(std::size_t target, instant now, bool settle_soon) {
  entry& one = entries_[target];
  if (!one.running) return;
  one.running = false;
  --under_way_;
  one.due = one.started + jittered(interval(one));
  if (one.starts == 1) one.due = std::min(one.due, one.started + one.second);
  if (settle_soon) one.due = std::min(one.due, now + jittered(one.steps.recheck));
  one.due = std::max(one.due, now);
  put(target);
}

void schedule::set_in_use(std::size_t target, bool in_use, instant now) {
  entry& one = entries_[target];
  if (one.in_use == in_use) return;
  one.in_use = in_use;
  if (!in_use || one.running || one.starts == 0) return;
  const instant sooner = std::max(now, one.started + jittered(interval(one)));
  if (sooner >= one.due) return;
  take(target);
  one.due = sooner;
  put(target);
}

}  // namespace nearside::probe
