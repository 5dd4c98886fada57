// SPDX-License-Identifier: BSD-2-Clause
#include "latency/rules.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/score/scoreboard.hpp"

namespace nearside::bench {
namespace {

class ours : public rule {
 public:
  ours(std::size_t servers, double ttl, const score::latency_settings& latency, const score::health_settings& health)
      : board_(targets(servers, health), pools(servers, ttl), latency, score::instant{}) {}

  bool add(std::size_t server, const score::sample& s) override { return board_.add(server, s).settle_soon; }
  told ask() override {
    const dns::choice& now = board_.choices()->front().families[0];
    const auto& of = now.alternatives.at(next_++ % now.alternatives.size());
    return {of.order.front(), static_cast<double>(now.ttl)};
  }
  [[nodiscard]] bool in_use(std::size_t server) const override { return board_.in_use(server); }

 private:
  static std::vector<score::target> targets(std::size_t servers, const score::health_settings& health) {
    std::vector<score::target> all;
    for (std::size_t s = 0; s < servers; ++s) {
      score::target one;
      one.key = std::to_string(s);
      one.health = health;
      all.push_back(std::move(one));
    }
    return all;
  }
  static std::vector<score::pool> pools(std::size_t servers, double ttl) {
    score::pool pool;
    pool.rules.how = score::policy::latency;
    pool.rules.ttl = std::chrono::seconds(static_cast<long>(ttl));
    pool.rules.ttl_min = std::min(pool.rules.ttl_min, pool.rules.ttl);
    for (std::size_t s = 0; s < servers; ++s) {
      score::member one;
      one.server = std::to_string(s);
      pool.members.push_back(std::move(one));
      pool.families[0].addresses.push_back({.member = s, .targets = {s}});
    }
    return {std::move(pool)};
  }

  score::scoreboard board_;
  std::size_t next_ = 0;
};

class round_robin : public rule {
 public:
  round_robin(std::size_t servers, double ttl) : servers_(servers), ttl_(ttl) {}
  bool add(std::size_t, const score::sample&) override { return false; }
  told ask() override { return {next_++ % servers_, ttl_}; }

 private:
  std::size_t servers_;
  double ttl_;
  std::size_t next_ = 0;
};

/// RFC 6298's SRTT, the least one that did not fail last; no hysteresis.
class nearest : public rule {
 public:
  nearest(std::size_t servers, double ttl) : servers_(servers), ttl_(ttl) {}
  bool add(std::size_t server, const score::sample& s) override {
    state& of = servers_[server];
    of.up = s.what == score::outcome::ok;
    if (of.up) {
      const double ms = score::milliseconds_of(*s.first_byte);
      of.srtt = of.srtt < 0 ? ms : of.srtt + (ms - of.srtt) / 8;
    }
    return false;
  }
  told ask() override {
    const auto best = std::min_element(servers_.begin(), servers_.end(), [](const state& a, const state& b) {
      if (a.up != b.up) return a.up;
      return a.srtt < b.srtt;
    });
    return {static_cast<std::size_t>(best - servers_.begin()), ttl_};
  }

 private:
  struct state {
    bool up = false;
    double srtt = -1;
  };
  std::vector<state> servers_;
  double ttl_;
};

/// Up and down by counts of 10 and 20, in the order of the first RTTs.
class thresholds : public rule {
 public:
  thresholds(std::size_t servers, double ttl) : servers_(servers), ttl_(ttl) {}
  bool add(std::size_t server, const score::sample& s) override {
    state& of = servers_[server];
    if (s.what == score::outcome::ok && of.first < 0) of.first = score::milliseconds_of(*s.first_byte);
    of.in_a_row = (s.what == score::outcome::ok) == of.last_ok ? of.in_a_row + 1 : 1;
    of.last_ok = s.what == score::outcome::ok;
    if (!of.last_ok && of.in_a_row >= 10) of.up = false;
    if (of.last_ok && of.in_a_row >= 20) of.up = true;
    return false;
  }
  told ask() override {
    const auto best = std::min_element(servers_.begin(), servers_.end(), [](const state& a, const state& b) {
      if (a.up != b.up) return a.up;
      return (a.first < 0 ? 1e9 : a.first) < (b.first < 0 ? 1e9 : b.first);
    });
    return {static_cast<std::size_t>(best - servers_.begin()), ttl_};
  }

 private:
  struct state {
    double first = -1;
    int in_a_row = 0;
    bool last_ok = true;
    bool up = true;
  };
  std::vector<state> servers_;
  double ttl_;
};

}  // namespace

std::unique_ptr<rule> make_rule(std::string_view name, std::size_t servers, double ttl,
                                const score::latency_settings& latency, const score::health_settings& health) {
  if (name == "ours") return std::make_unique<ours>(servers, ttl, latency, health);
  if (name == "round-robin") return std::make_unique<round_robin>(servers, ttl);
  if (name == "nearest") return std::make_unique<nearest>(servers, ttl);
  if (name == "thresholds") return std::make_unique<thresholds>(servers, ttl);
  throw std::invalid_argument("no rule '" + std::string(name) + "': ours, round-robin, nearest or thresholds");
}

}  // namespace nearside::bench
