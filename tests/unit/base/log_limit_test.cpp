// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/log_limit.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using nearside::log_limit;

TEST_CASE("a burst of lines is told, then one an interval with the number left out", "[base]") {
  log_limit limit(3, 1s);
  auto now = log_limit::clock::time_point(1h);
  for (int i = 0; i < 3; ++i) CHECK(limit.tell(now) == 0);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.tell(now));
  now += 1s;
  CHECK(limit.tell(now) == 5);
  CHECK_FALSE(limit.tell(now));
}

TEST_CASE("a quiet while fills the burst up, and no further", "[base]") {
  log_limit limit(2, 1s);
  auto now = log_limit::clock::time_point(1h);
  CHECK(limit.tell(now) == 0);
  now += 1h;
  CHECK(limit.tell(now) == 0);
  CHECK(limit.tell(now) == 0);
  CHECK_FALSE(limit.tell(now));
}
