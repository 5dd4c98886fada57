// SPDX-License-Identifier: BSD-2-Clause
// Estimate, health and response: the figures of one target.
#include <catch2/catch.hpp>

#include "unit/score/fixture.hpp"

namespace nearside::score {
namespace {

TEST_CASE("SRTT and RTTVAR follow RFC 6298", "[score][estimate]") {
  estimate e;
  CHECK_FALSE(e.smoothed());
  e.add(ok(0, 100));
  CHECK(*e.smoothed() == ms(100));
  CHECK(e.variation() == ms(50));
  e.add(ok(1, 200));
  CHECK(e.variation() == ms(62.5));   // 3/4 x 50 + 1/4 x |100 - 200|
  CHECK(*e.smoothed() == ms(112.5));  // 7/8 x 100 + 1/8 x 200
}

TEST_CASE("the RTT is the connect time where there is one", "[score][estimate]") {
  estimate e;
  sample s = ok(0, 100);
  s.connect = ms(40);
  e.add(s);
  CHECK(*e.smoothed() == ms(40));
}

TEST_CASE("minimum and loss forget what is older than the window", "[score][estimate]") {
  estimate e;
  e.add(ok(0, 10));
  e.add(bad(1));
  e.add(ok(200, 30));
  e.add(bad(201, "http 503"));
  CHECK(*e.minimum(at(201)) == ms(10));
  CHECK(e.loss(at(201)) == Approx(0.25));  // an answer that is an error is not lost
  CHECK(*e.minimum(at(310)) == ms(30));
  CHECK(e.loss(at(310)) == 0);
  CHECK_FALSE(e.minimum(at(1000)));
  CHECK(*e.newest() == at(201));
}

TEST_CASE("a server is down only after two failures in a row", "[score][health]") {
  health h(health_settings{});
  CHECK(h.add(outcome::ok, at(0)));
  CHECK(h.now() == standing::up);
  CHECK_FALSE(h.add(outcome::lost, at(1)));
  CHECK(h.failing());
  CHECK_FALSE(h.add(outcome::ok, at(2)));
  CHECK_FALSE(h.failing());
  CHECK_FALSE(h.add(outcome::lost, at(3)));
  CHECK(h.add(outcome::failed, at(4)));
  CHECK(h.now() == standing::down);
  CHECK_FALSE(h.failing());
}

TEST_CASE("a server is unknown before its first result, and the first success brings it up", "[score][health]") {
  health h(health_settings{});
  CHECK(h.now() == standing::unknown);
  CHECK_FALSE(h.add(outcome::lost, at(0)));
  CHECK(h.now() == standing::unknown);
  CHECK(h.failing());
  CHECK(h.add(outcome::ok, at(1)));
  CHECK(h.now() == standing::up);
}

TEST_CASE("a server that never was up is down after as many failures", "[score][health]") {
  health h(health_settings{});
  CHECK_FALSE(h.add(outcome::lost, at(0)));
  CHECK(h.add(outcome::lost, at(1)));
  CHECK(h.now() == standing::down);
}

TEST_CASE("each fall within half an hour makes the way up longer: 4, 12, 36, 36", "[score][health]") {
  health h(health_settings{});
  double now = 0;
  h.add(outcome::ok, at(now));
  for (const std::uint32_t needed : {4u, 12u, 36u, 36u}) {
    h.add(outcome::lost, at(++now));
    h.add(outcome::lost, at(++now));
    REQUIRE(h.now() == standing::down);
    CHECK(h.rise(at(now)) == needed);
    for (std::uint32_t success = 1; success < needed; ++success) REQUIRE_FALSE(h.add(outcome::ok, at(++now)));
    CHECK(h.missing(at(now)) == 1);
    CHECK(h.add(outcome::ok, at(++now)));
  }
}

TEST_CASE("falls of more than half an hour ago are forgiven", "[score][health]") {
  health h(health_settings{});
  h.add(outcome::ok, at(0));
  for (const double when : {1.0, 2.0}) h.add(outcome::lost, at(when));
  for (const double when : {3.0, 4.0, 5.0, 6.0}) h.add(outcome::ok, at(when));
  for (const double when : {1900.0, 1901.0}) h.add(outcome::lost, at(when));
  CHECK(h.rise(at(1901)) == 4);
}

TEST_CASE("a single outlier moves the first-byte time by four deviations at most, the second in a row is believed",
          "[score][response]") {
  const latency_settings by;
  response r;
  for (int i = 0; i < 200; ++i) r.add(ok(i, 50 + (i % 2)), by);
  const double before = *r.smoothed();
  r.add(ok(200, 1000), by);
  const double after_one = *r.smoothed();
  CHECK(after_one - before < 0.5);
  r.add(ok(201, 1000), by);
  CHECK(*r.smoothed() - after_one > 40);  // a step of 1 - exp(-1/20) towards 1,000
}

TEST_CASE("after times without any variation a slightly other one is no outlier", "[score][response]") {
  const latency_settings by;
  response r;
  for (int i = 0; i < 400; ++i) r.add(ok(i, 50), by);
  r.add(ok(400, 52), by);
  CHECK(*r.smoothed() - 50 == Approx(2 * (1 - std::exp(-1.0 / 20))));
}

TEST_CASE("the first loss is nearly free, those that follow are not", "[score][response]") {
  const latency_settings by;
  response r;
  r.add(ok(0, 50), by);
  r.add(bad(5), by);
  const double first = r.penalty();
  CHECK(first == Approx(50 * (1 - std::exp(-5.0 / 30))));
  r.add(bad(10), by);
  CHECK(r.penalty() - first > 60);
  CHECK(*r.smoothed() == 50);
}

TEST_CASE("an answer that is an error costs six times what a lost probe costs", "[score][response]") {
  const latency_settings by;
  response lost;
  response failed;
  for (response* r : {&lost, &failed}) r->add(ok(0, 50), by);
  lost.add(bad(5), by);
  failed.add(bad(5, "http 503"), by);
  CHECK(failed.penalty() == Approx(6 * lost.penalty()));
}

TEST_CASE("the first-byte time is smoothed over 20 s, however often it is measured", "[score][response]") {
  const latency_settings by;
  response seldom;
  response often;
  for (response* r : {&seldom, &often}) r->add(ok(0, 100), by);
  often.add(ok(2.5, 120), by);
  for (response* r : {&seldom, &often}) {
    r->add(ok(5, 120), by);
    CHECK(*r->smoothed() == Approx(100 + 20 * (1 - std::exp(-5.0 / 20))));
  }
}

TEST_CASE("an outlier counts as a value four deviations away", "[score][response]") {
  const latency_settings by;
  for (const auto& [first_byte, away] : {std::pair(1000.0, 100.0), std::pair(1.0, -99.0)}) {
    response r;
    r.add(ok(0, 100), by);  // deviation 25
    r.add(ok(5, first_byte), by);
    CHECK(*r.smoothed() == Approx(100 + away * (1 - std::exp(-5.0 / 20))));
  }
}

TEST_CASE("trouble is forgotten over 30 s of answers, and the next one is a first one again", "[score][response]") {
  const latency_settings by;
  response r;
  r.add(ok(0, 50), by);
  for (const double when : {5.0, 10.0}) r.add(bad(when), by);
  const double worst = r.penalty();
  CHECK(*r.expected() == 50 + worst);
  r.add(ok(40, 50), by);
  const double left = r.penalty();
  CHECK(left == Approx(worst * std::exp(-1)));
  r.add(bad(70), by);
  CHECK(r.penalty() == Approx(left * std::exp(-1) + 50 * (1 - std::exp(-1))));
}

TEST_CASE("the way up is never longer than rise_most", "[score][health]") {
  health h(health_settings{.fall = 1, .rise = 5, .rise_growth = 3, .rise_most = 20});
  h.restore(standing::down, at(0), {at(0), at(0), at(0)});
  CHECK(h.rise(at(1)) == 20);
}

}  // namespace
}  // namespace nearside::score
