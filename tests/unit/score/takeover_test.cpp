// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <random>

#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

/// Decides each second until somebody else than address 0 serves; the seconds that it took, or 10,000.
double seconds_until_takeover(double serving_ms, double other_ms) {
  const latency_settings by;
  takeover t;
  const std::vector<contender> first{{0, 1}, {1, 2}};
  t.decide(first, false, at(0), by);
  const std::vector<contender> both{{0, serving_ms}, {1, other_ms}};
  for (double now = 1; now < 10'000; ++now)
    if (*t.decide(both, false, at(now), by) == 1) return now;
  return 10'000;
}

TEST_CASE("a candidate takes over when its gains over time pass 500 ms x s", "[score][takeover]") {
  CHECK(seconds_until_takeover(150.3, 100) == 10);  // 50 ms x 10 s
  CHECK(seconds_until_takeover(110.4, 100) == 50);  // 10.1 ms x 50 s
  CHECK(seconds_until_takeover(3100, 100) == 1);    // a large gain acts at once
}

TEST_CASE("a gain within the margin never takes over", "[score][takeover]") {
  CHECK(seconds_until_takeover(100.3, 100) == 10'000);
}

TEST_CASE("gains that come and go do not add up", "[score][takeover]") {
  const latency_settings by;
  takeover t;
  t.decide(std::vector<contender>{{0, 100}, {1, 101}}, false, at(0), by);
  for (double now = 1; now < 2000; ++now) {
    const double swing = static_cast<int>(now) % 2 == 0 ? 20 : -20;
    REQUIRE(*t.decide(std::vector<contender>{{0, 100}, {1, 100 + swing}}, false, at(now), by) == 0);
  }
}

TEST_CASE("when who serves is gone, the best of the others serves at once", "[score][takeover]") {
  const latency_settings by;
  takeover t;
  t.decide(std::vector<contender>{{0, 10}, {1, 50}, {2, 40}}, false, at(0), by);
  CHECK(*t.decide(std::vector<contender>{{1, 50}, {2, 40}}, false, at(1), by) == 2);
  CHECK_FALSE(t.decide({}, false, at(2), by));
}

TEST_CASE("while results are still coming in, the best one serves", "[score][takeover]") {
  const latency_settings by;
  takeover t;
  CHECK(*t.decide(std::vector<contender>{{2, 90}}, true, at(0), by) == 2);
  CHECK(*t.decide(std::vector<contender>{{0, 80}, {2, 90}}, true, at(0.1), by) == 0);
  CHECK(*t.decide(std::vector<contender>{{0, 80}, {1, 70}, {2, 90}}, false, at(0.2), by) == 1);
  CHECK(*t.decide(std::vector<contender>{{0, 60}, {1, 70}, {2, 90}}, false, at(0.3), by) == 1);
}

TEST_CASE("jitter alone moves no answer over ten minutes", "[score][takeover][jitter]") {
  // 40 +- 8 ms against 43 +- 8 ms, the one in use every second, the other every five; ten seeds.
  for (unsigned seed = 0; seed < 10; ++seed) {
    const fixture given(2);
    scoreboard board = given.board();
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> jitter(-8, 8);
    board.add(0, ok(0, 40));
    board.add(1, ok(0.1, 43));
    for (double now = 1; now < 600; now += 1) {
      board.add(0, ok(now, 40 + jitter(random)));
      REQUIRE(firsts(board) == "a");
      if (static_cast<int>(now) % 5 == 0) board.add(1, ok(now + 0.5, 43 + jitter(random)));
      REQUIRE(firsts(board) == "a");
    }
  }
}

TEST_CASE("how long a candidate was slower is not held against it", "[score][takeover]") {
  const latency_settings by;
  takeover t;
  for (double now = 0; now <= 1000; ++now) t.decide(std::vector<contender>{{0, 100}, {1, 150}}, false, at(now), by);
  const std::vector<contender> faster{{0, 150.3}, {1, 100}};
  for (double now = 1001; now < 1010; ++now) REQUIRE(*t.decide(faster, false, at(now), by) == 0);
  CHECK(*t.decide(faster, false, at(1010), by) == 1);
}

TEST_CASE("who has been away begins anew", "[score][takeover]") {
  const latency_settings by;
  takeover t;
  t.decide(std::vector<contender>{{0, 100}, {1, 101}}, false, at(0), by);
  const std::vector<contender> slowed{{0, 150.3}, {1, 100}};
  t.decide(slowed, false, at(9), by);
  CHECK(t.evidence(1) == Approx(450));
  t.decide(std::vector<contender>{{0, 150.3}}, false, at(10), by);
  t.decide(slowed, false, at(11), by);
  CHECK(t.evidence(1) == Approx(50));
}

TEST_CASE("of those whose evidence is complete the fastest takes over, and all evidence begins at 0",
          "[score][takeover]") {
  const latency_settings by;
  takeover t;
  t.decide(std::vector<contender>{{0, 1}, {1, 2}, {2, 2}, {3, 2}}, false, at(0), by);
  const std::vector<contender> slowed{{0, 150}, {1, 100}, {2, 120}, {3, 145}};
  t.decide(slowed, false, at(1), by);
  CHECK(t.evidence(3) == Approx(4.7));
  CHECK(*t.decide(slowed, false, at(60), by) == 1);
  for (const contender& c : slowed) CHECK(t.evidence(c.address) == 0);
}

TEST_CASE("once half of the evidence is there, it is known when a candidate takes over at the latest",
          "[score][takeover]") {
  const latency_settings by;
  takeover t;
  t.decide(std::vector<contender>{{0, 1}, {1, 2}, {2, 3}}, false, at(0), by);
  const std::vector<contender> all{{0, 150.3}, {1, 100}, {2, 110}};
  t.decide(all, false, at(4), by);  // 200 and 160 of 500
  CHECK_FALSE(t.nearest(all, by));
  t.decide(all, false, at(8), by);  // 400 and 320: 100 are missing at 50 a second
  REQUIRE(t.nearest(all, by));
  CHECK(seconds_of(*t.nearest(all, by)) == Approx(2));
  CHECK_FALSE(t.nearest(std::vector<contender>{{0, 100.3}, {1, 100}, {2, 110}}, by));
}

}  // namespace
}  // namespace nearside::score
