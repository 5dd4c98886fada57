// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/schedule.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <map>

using namespace std::chrono_literals;
using nearside::config::probe_settings;
using nearside::probe::schedule;
using instant = schedule::instant;
using duration = schedule::duration;

namespace {

boost::asio::ip::address server(unsigned number) {
  return boost::asio::ip::address_v4(0xc6120000U + number);  // 198.18.0.0/15
}

std::vector<schedule::pace> servers(unsigned count, duration interval = 5s) {
  std::vector<schedule::pace> all;
  for (unsigned i = 0; i < count; ++i) all.push_back({server(i), interval, 1s, 200ms});
  return all;
}

/// A run of simulated time: checks take `takes`, and every start is noted.
struct simulation {
  simulation(const probe_settings& bounds, std::vector<schedule::pace> targets)
      : plan(
            bounds, std::move(targets), [this] { return random(); }, now) {}

  // A linear congruential generator: the same run each time.
  double random() {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(seed >> 11) / 9007199254740992.0;
  }

  void run(duration time) {
    const instant end = now + time;
    while (now < end) {
      while (!ending.empty() && ending.front().first <= now) {
        plan.finished(ending.front().second, now, settle);
        ending.pop_front();
      }
      while (const auto target = plan.next(now)) {
        starts.emplace_back(now, *target);
        ending.emplace_back(now + takes, *target);
        most_under_way = std::max(most_under_way, plan.under_way());
      }
      instant next = end;
      if (!ending.empty()) next = std::min(next, ending.front().first);
      if (const auto wake = plan.wake()) next = std::min(next, *wake);
      now = std::max(next, now);
    }
  }

  std::vector<duration> gaps(std::size_t target) const {
    std::vector<duration> all;
    instant before{};
    for (const auto& [at, which] : starts) {
      if (which != target) continue;
      if (before != instant()) all.push_back(at - before);
      before = at;
    }
    return all;
  }

  instant now{1h};
  std::uint64_t seed = 1;
  duration takes = 10ms;
  bool settle = false;
  std::deque<std::pair<instant, std::size_t>> ending;
  std::vector<std::pair<instant, std::size_t>> starts;
  std::size_t most_under_way = 0;
  schedule plan;
};

}  // namespace

TEST_CASE("all first checks start within a second, evenly", "[probe][schedule]") {
  simulation run({}, servers(100));
  run.run(1s);
  REQUIRE(run.starts.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) CHECK(run.starts[i].first - instant(1h) == 10ms * i);
}

TEST_CASE("the first checks of a short interval start within that interval", "[probe][schedule]") {
  simulation run({}, servers(10, 100ms));
  run.run(100ms);
  CHECK(run.starts.size() >= 10);
}

TEST_CASE("after the first ones, no second has more than its share of the checks", "[probe][schedule]") {
  simulation run({}, servers(1000));
  run.run(1s);
  run.starts.clear();
  for (int second = 0; second < 20; ++second) {
    run.run(1s);
    CHECK(run.starts.size() < 270);
    CHECK(run.starts.size() > 130);
    run.starts.clear();
  }
}

TEST_CASE("checks of a target keep their interval, longer or shorter by the jitter", "[probe][schedule]") {
  simulation run({}, servers(3));
  run.run(10min);
  for (std::size_t target = 0; target < 3; ++target) {
    auto gaps = run.gaps(target);
    REQUIRE(gaps.size() > 115);
    gaps.erase(gaps.begin());
    duration sum{};
    for (const duration gap : gaps) {
      CHECK(gap >= 4500ms);
      CHECK(gap <= 5500ms);
      sum += gap;
    }
    CHECK(sum / static_cast<int>(gaps.size()) > 4900ms);
    CHECK(sum / static_cast<int>(gaps.size()) < 5100ms);
    CHECK(*std::ranges::max_element(gaps) > *std::ranges::min_element(gaps) + 500ms);
  }
  CHECK(run.plan.late() == 0);
}

TEST_CASE("a target in use is checked at its shorter interval, and the next check is pulled forward",
          "[probe][schedule]") {
  simulation run({.jitter = 0}, servers(1));
  run.run(12s);
  const instant last = run.starts.back().first;
  run.plan.set_in_use(0, true, run.now);
  run.starts.clear();
  run.run(10s);
  CHECK(run.starts.front().first == std::max(last + 1s, instant(1h) + 12s));
  CHECK(run.starts.size() == 10);
  run.plan.set_in_use(0, false, run.now);
  run.starts.clear();
  run.run(20s);
  CHECK(run.starts.size() <= 5);
}

TEST_CASE("after a failure the next check comes after `recheck` until the target is settled", "[probe][schedule]") {
  simulation run({.jitter = 0}, servers(1));
  run.run(7s);
  run.settle = true;
  run.run(5s);  // the check at 6 s was good; the next one begins it
  run.starts.clear();
  run.run(2100ms);
  CHECK(run.starts.size() == 10);  // every 210 ms
  run.settle = false;
  run.run(1s);
  run.starts.clear();
  run.run(20s);
  CHECK(run.starts.size() == 4);
}

TEST_CASE("re-checks are longer or shorter by the jitter too", "[probe][schedule]") {
  simulation run({}, servers(1));
  run.settle = true;
  run.run(1min);
  auto gaps = run.gaps(0);
  REQUIRE(gaps.size() > 250);
  for (const duration gap : gaps) {
    CHECK(gap >= 190ms);  // 10 ms for the check itself
    CHECK(gap <= 230ms);
  }
  CHECK(*std::ranges::max_element(gaps) > *std::ranges::min_element(gaps) + 30ms);
}

TEST_CASE("no more checks are under way than allowed, and those that wait start in the order they were due",
          "[probe][schedule]") {
  simulation run({.concurrency = 4, .jitter = 0}, servers(40));
  run.takes = 200ms;
  run.run(3s);
  CHECK(run.most_under_way == 4);
  REQUIRE(run.starts.size() >= 40);
  for (std::size_t i = 0; i < 40; ++i) CHECK(run.starts[i].second == i);
}

TEST_CASE("one address gets no more starts a second than allowed, however many targets it has", "[probe][schedule]") {
  auto targets = servers(200, 1s);
  for (auto& one : targets) one.address = server(0);
  targets.push_back({server(1), 1s, 1s, 200ms});
  simulation run({.per_address = 10}, std::move(targets));
  run.run(60s);
  std::deque<instant> window;
  std::map<std::size_t, int> times;
  for (const auto& [at, target] : run.starts) {
    ++times[target];
    if (target == 200) continue;
    window.push_back(at);
    while (window.front() <= at - 1s) window.pop_front();
    REQUIRE(window.size() <= 10);
  }
  // Each has its turn, and the other address does not suffer.
  for (std::size_t i = 0; i < 200; ++i) CHECK(times[i] >= 2);
  CHECK(times[200] >= 55);
  CHECK(run.plan.late() > 0);
}

TEST_CASE("no target is checked twice at once, and a check longer than the interval delays the next without being late",
          "[probe][schedule]") {
  simulation run({.jitter = 0}, servers(1, 1s));
  run.takes = 2500ms;
  run.run(60s);
  CHECK(run.most_under_way == 1);
  for (const duration gap : run.gaps(0)) CHECK(gap == 2500ms);
  CHECK(run.plan.late() == 0);
}

TEST_CASE("a check that starts more than its interval after it was due is late", "[probe][schedule]") {
  simulation run({.concurrency = 1, .jitter = 0}, servers(3, 1s));
  run.takes = 1s;
  run.run(30s);
  CHECK(run.plan.late() > 20);
}

TEST_CASE("when every check is lost, nothing accumulates", "[probe][schedule]") {
  simulation run({.concurrency = 50}, servers(2000));
  run.takes = 500ms;
  run.settle = true;
  run.run(5min);
  CHECK(run.most_under_way == 50);
  // 50 at once, each for half a second: all of the capacity is used, by all targets.
  CHECK(run.starts.size() >= 29000);
  std::map<std::size_t, int> times;
  for (const auto& [at, target] : run.starts) ++times[target];
  CHECK(times.size() == 2000);
  CHECK(std::ranges::min_element(times, {}, [](auto& t) { return t.second; })->second >= 10);
}

TEST_CASE("a finish that was not started, and a change of use while a check runs, do no harm", "[probe][schedule]") {
  simulation run({.jitter = 0}, servers(1));
  run.plan.finished(0, run.now, true);
  CHECK(run.plan.under_way() == 0);
  REQUIRE(run.plan.next(run.now) == 0U);
  run.plan.set_in_use(0, true, run.now);
  CHECK_FALSE(run.plan.next(run.now + 1h));
  run.plan.finished(0, run.now, false);
  CHECK(run.plan.wake() == run.now + 1s);
}

TEST_CASE("without targets there is nothing to wait for", "[probe][schedule]") {
  simulation run({}, {});
  CHECK_FALSE(run.plan.next(run.now));
  CHECK_FALSE(run.plan.wake());
}
