// SPDX-License-Identifier: BSD-2-Clause
#include "latency/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <queue>
#include <random>

namespace nearside::bench {
namespace {

constexpr double tick = 0.1;  // seconds

score::instant instant_of(double seconds) {
  return score::instant(std::chrono::duration_cast<score::duration>(std::chrono::duration<double>(seconds)));
}

/// Probes by the plan: which result comes when.
class probes {
 public:
  probes(world& in, std::size_t isp, const probe_plan& plan, rule& to, std::uint64_t seed)
      : in_(in), isp_(isp), plan_(plan), to_(to), random_(seed), starts_(in.settings().servers) {
    for (std::size_t s = 0; s < starts_.size(); ++s)
      starts_[s] = {std::uniform_real_distribution<double>(0, 1)(random_), false};
  }

  /// Everything that happens up to `until`.
  void run(double until) {
    for (;;) {
      std::size_t next = 0;
      for (std::size_t s = 1; s < starts_.size(); ++s)
        if (starts_[s].at < starts_[next].at) next = s;
      if (starts_[next].at > until) return;
      starts_[next].under_way ? end(next) : begin(next);
    }
  }

 private:
  struct start {
    double at;
    bool under_way;
    score::sample found{};
    double began = 0;
  };

  void begin(std::size_t server) {
    start& s = starts_[server];
    const auto found = in_.probe(isp_, server, s.at, random_);
    const bool too_late = found.lost || found.milliseconds > plan_.timeout * 1000;
    const double took = too_late ? plan_.timeout : found.milliseconds / 1000;
    s.began = s.at;
    s.at += took;
    s.under_way = true;
    s.found = {};
    s.found.at = instant_of(s.at);
    if (too_late)
      s.found.what = score::outcome::lost;
    else if (found.failed)
      s.found.what = score::outcome::failed;
    else
      s.found.first_byte = std::chrono::duration_cast<score::duration>(std::chrono::duration<double>(took));
  }

  void end(std::size_t server) {
    start& s = starts_[server];
    const bool soon = to_.add(server, s.found);
    s.under_way = false;
    const double wait = to_.in_use(server) ? plan_.interval_in_use : plan_.interval;
    const double jitter = std::uniform_real_distribution<double>(0.9, 1.1)(random_);
    s.at = soon ? s.at + plan_.recheck : std::max(s.at, s.began + wait * jitter);
    // Whoever comes into use is looked at more often from now on.
    for (std::size_t other = 0; other < starts_.size(); ++other)
      if (other != server && to_.in_use(other) && !starts_[other].under_way)
        starts_[other].at = std::min(starts_[other].at, s.at + plan_.interval_in_use);
  }

  world& in_;
  std::size_t isp_;
  probe_plan plan_;
  rule& to_;
  std::mt19937_64 random_;
  std::vector<start> starts_;
};

/// Answers in the caches of an ISP's clients.
class clients {
 public:
  clients(std::size_t count, std::size_t servers, double ttl)
      : on_(servers), ring_(static_cast<std::size_t>(ttl / tick) + 2) {
    for (std::size_t c = 0; c < count; ++c) ring_[c * (ring_.size() - 1) / count].push_back(none);
  }
  void run(std::size_t now, rule& by) {
    auto due = std::move(ring_[now % ring_.size()]);
    ring_[now % ring_.size()].clear();
    for (const std::size_t held : due) {
      if (held != none) --on_[held];
      const told answer = by.ask();
      ++on_[answer.server];
      const auto ticks =
          std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(answer.ttl / tick)), 1, ring_.size() - 1);
      ring_[(now + ticks) % ring_.size()].push_back(answer.server);
    }
  }
  [[nodiscard]] const std::vector<std::size_t>& on() const noexcept { return on_; }

 private:
  static constexpr std::size_t none = SIZE_MAX;
  std::vector<std::size_t> on_;                 // how many hold an answer with the server
  std::vector<std::vector<std::size_t>> ring_;  // by tick: the server held until then
};

/// Knows the truth at every instant: what it costs above the oracle is what clients hold in their caches.
class perfect : public rule {
 public:
  explicit perfect(double ttl) : now{0, ttl} {}
  bool add(std::size_t, const score::sample&) override { return false; }
  told ask() override { return now; }
  told now;
};

/// From a death on: when have 99 % left?
struct leaving {
  std::size_t server;
  double from;
  std::size_t held;  // clients at the death
};

}  // namespace

figures simulate(const world_settings& in, const simulation_settings& by) {
  world truth(in);
  figures all;
  double excess = 0;
  double requests = 0;
  std::size_t changes = 0;
  std::size_t needless = 0;
  const auto ticks = static_cast<std::size_t>(truth.seconds() / tick);
  for (std::size_t isp = 0; isp < in.isps; ++isp) {
    perfect* knowing = nullptr;
    std::unique_ptr<rule> rule;
    if (by.rule == "perfect")
      rule.reset(knowing = new perfect(by.ttl));
    else
      rule = make_rule(by.rule, in.servers, by.ttl, by.latency, by.health);
    probes asked(truth, isp, by.plan, *rule, in.seed * 1000 + isp);
    clients users(by.clients, in.servers, by.ttl);
    std::vector<leaving> watched;
    auto death = truth.deaths().begin();
    std::optional<std::size_t> told_before = std::nullopt;
    struct judged {
      std::size_t from, to;
      double until, sum;
    };
    std::deque<judged> judging;
    for (std::size_t now = 0; now < ticks; ++now) {
      const double t = static_cast<double>(now) * tick;
      if (knowing != nullptr) {
        for (std::size_t s = 0; s < in.servers; ++s)
          if (world::cost(truth.at(isp, s, t)) < world::cost(truth.at(isp, knowing->now.server, t)))
            knowing->now.server = s;
      } else {
        asked.run(t);
      }
      users.run(now, *rule);
      double best = 1e18;
      double sum = 0;
      std::vector<double> cost(in.servers);
      for (std::size_t s = 0; s < in.servers; ++s) {
        cost[s] = world::cost(truth.at(isp, s, t));
        best = std::min(best, cost[s]);
        sum += static_cast<double>(users.on()[s]) * cost[s];
      }
      if (t > 60) {  // the start is not what is compared
        excess += sum - best * static_cast<double>(by.clients);
        requests += static_cast<double>(by.clients);
      }
      if (by.rule != "round-robin") {
        const std::size_t told_now = rule->ask().server;
        if (t > 60 && told_before && *told_before != told_now) {
          ++changes;
          judging.push_back({*told_before, told_now, t + 60, 0});
        }
        told_before = told_now;
      }
      for (judged& j : judging) j.sum += (cost[j.to] - cost[j.from]) * tick / 60;
      while (!judging.empty() && judging.front().until <= t) {
        if (judging.front().sum > 1) ++needless;
        judging.pop_front();
      }
      for (; death != truth.deaths().end() && death->from <= t; ++death)
        if (users.on()[death->server] * 2 > by.clients && death->until - death->from > 2 * by.ttl)
          watched.push_back({death->server, death->from, users.on()[death->server]});
      std::erase_if(watched, [&](const leaving& w) {
        if (users.on()[w.server] * 100 > w.held) return false;
        all.leave_s.push_back(t - w.from);
        return true;
      });
    }
  }
  const double hours = truth.seconds() / 3600 * static_cast<double>(in.isps);
  all.excess_ms = excess / requests;
  all.changes_an_hour = static_cast<double>(changes) / hours;
  all.needless_an_hour = static_cast<double>(needless) / hours;
  std::sort(all.leave_s.begin(), all.leave_s.end());
  return all;
}

}  // namespace nearside::bench
