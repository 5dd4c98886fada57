// SPDX-License-Identifier: BSD-2-Clause
#include "latency/world.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nearside::bench {
namespace {

constexpr double failed_request_ms = 3000;
constexpr double repeated_after_ms = 1000;
constexpr double hour = 3600;

double uniform(std::mt19937_64& r, double least, double most) {
  return std::uniform_real_distribution<double>(least, most)(r);
}
double exponential(std::mt19937_64& r, double mean) { return std::exponential_distribution<double>(1 / mean)(r); }
double lognormal(std::mt19937_64& r, double median, double sigma) {
  return median * std::exp(std::normal_distribution<double>(0, sigma)(r));
}

/// Calls at random times, `mean` seconds apart.
template <typename Event>
void now_and_then(std::mt19937_64& r, double until, double mean, const Event& event) {
  for (double t = exponential(r, mean); t < until; t += exponential(r, mean)) event(t);
}

}  // namespace

world::world(const world_settings& settings) : settings_(settings), random_(settings.seed) {
  make_paths();
  if (!settings_.calm) {
    make_server_events();
    make_path_events();
  }
  for (path& p : paths_)
    std::sort(p.episodes.begin(), p.episodes.end(), [](const episode& a, const episode& b) { return a.from < b.from; });
  std::sort(deaths_.begin(), deaths_.end(), [](const death& a, const death& b) { return a.from < b.from; });
}

void world::make_paths() {
  for (std::size_t i = 0; i < settings_.isps * settings_.servers; ++i) {
    path p;
    p.base = std::clamp(lognormal(random_, 45, 0.8), 3.0, 280.0);
    p.jitter = uniform(random_, 0.2, 1.0) + p.base * uniform(random_, 0.005, 0.03);
    p.phase = uniform(random_, 0, 86400);
    if (!settings_.calm) {
      now_and_then(random_, seconds(), 12 * hour,
                   [&](double t) { p.routes.emplace_back(t, uniform(random_, 0.8, 1.4)); });
    }
    paths_.push_back(std::move(p));
  }
}

void world::make_server_events() {
  for (std::size_t s = 0; s < settings_.servers; ++s) {
    const auto everywhere = [&](const episode& e) {
      for (std::size_t i = 0; i < settings_.isps; ++i) of(i, s).episodes.push_back(e);
    };
    now_and_then(random_, seconds(), 12 * hour, [&](double t) {
      episode e{.from = t, .until = t + std::clamp(lognormal(random_, 300, 1), 30.0, 2 * hour), .dead = true};
      const double kind = uniform(random_, 0, 1);
      e.silent = kind < 0.6;
      if (kind > 0.8) {  // it lives and says 503
        e.dead = false;
        e.errors = 1;
      }
      everywhere(e);
      deaths_.push_back({s, e.from, e.until});
    });
    now_and_then(random_, seconds(), 12 * hour, [&](double t) {  // brown-out
      everywhere({.from = t,
                  .until = t + uniform(random_, 300, 1800),
                  .added = uniform(random_, 30, 300),
                  .jitter = uniform(random_, 3, 10),
                  .loss = uniform(random_, 0, 0.03),
                  .errors = uniform(random_, 0, 0.05)});
    });
    now_and_then(random_, seconds(), 48 * hour, [&](double t) {  // flapping
      const double end = t + uniform(random_, 600, 1500);
      while (t < end) {
        const double down = uniform(random_, 5, 30);
        everywhere({.from = t, .until = t + down, .dead = true, .silent = uniform(random_, 0, 1) < 0.5});
        t += down + uniform(random_, 15, 90);
      }
    });
  }
}

void world::make_path_events() {
  for (path& p : paths_) {
    now_and_then(random_, seconds(), 2.5 * hour, [&](double t) {  // congestion
      p.episodes.push_back({.from = t,
                            .until = t + uniform(random_, 300, 5400),
                            .added = uniform(random_, 3, 60),
                            .jitter = uniform(random_, 2, 5),
                            .loss = uniform(random_, 0, 0.02),
                            .ramp = true});
    });
    now_and_then(random_, seconds(), 48 * hour, [&](double t) {  // the path is gone
      p.episodes.push_back({.from = t, .until = t + std::clamp(lognormal(random_, 180, 1), 20.0, hour), .dead = true});
    });
  }
}

void world::update(path& p, double at) const {
  p.now = at;
  while (p.next_route < p.routes.size() && p.routes[p.next_route].first <= at)
    p.base = std::clamp(p.base * p.routes[p.next_route++].second, 2.0, 400.0);
  while (p.next_episode < p.episodes.size() && p.episodes[p.next_episode].from <= at)
    p.current.push_back(p.episodes[p.next_episode++]);
  std::erase_if(p.current, [&](const episode& e) { return e.until <= at; });

  path_state now{.rtt = p.base, .jitter = p.jitter, .loss = 0.0005};
  // The evening is a little slower than the morning.
  now.rtt *= 1 + 0.02 * std::sin(2 * std::numbers::pi * (at + p.phase) / 86400);
  for (const episode& e : p.current) {
    const double part = e.ramp ? std::sin(std::numbers::pi * (at - e.from) / (e.until - e.from)) : 1;
    now.rtt += e.added * part;
    now.jitter *= e.jitter;
    now.loss += e.loss * part;
    now.errors = std::max(now.errors, e.errors);
    if (e.dead) now.silent = now.dead ? now.silent && e.silent : e.silent;
    now.dead |= e.dead;
  }
  p.state = now;
}

const path_state& world::at(std::size_t isp, std::size_t server, double at) {
  path& p = of(isp, server);
  if (at != p.now) update(p, at);
  return p.state;
}

double world::cost(const path_state& p) noexcept {
  if (p.dead) return failed_request_ms;
  const double works = p.rtt + p.jitter + p.loss * repeated_after_ms;
  return (1 - p.errors) * works + p.errors * failed_request_ms;
}

world::finding world::probe(std::size_t isp, std::size_t server, double at, std::mt19937_64& random) {
  const path_state& p = this->at(isp, server, at);
  if (p.dead) return {.lost = p.silent, .failed = !p.silent, .milliseconds = p.rtt};
  if (uniform(random, 0, 1) < p.loss) return {.lost = true};
  // Jitter has a long tail: mostly a little, now and then a queue.
  double milliseconds = p.rtt + exponential(random, p.jitter);
  if (uniform(random, 0, 1) < 0.01) milliseconds += uniform(random, 10, 150);
  return {.failed = uniform(random, 0, 1) < p.errors, .milliseconds = milliseconds};
}

}  // namespace nearside::bench
