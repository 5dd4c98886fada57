// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/fault_log.hpp"

#include <catch2/catch.hpp>

using nearside::probe::fault_log;
using namespace std::chrono_literals;

TEST_CASE("a fault is told when it comes, and then once a minute with how often it came", "[probe][log]") {
  fault_log log;
  const nearside::score::instant begin{1h};
  CHECK(log.tell(0, "no file descriptors", begin) == 0U);
  for (int i = 1; i <= 59; ++i) CHECK_FALSE(log.tell(0, "no file descriptors", begin + i * 1s));
  CHECK(log.tell(1, "no file descriptors", begin) == 0U);
  CHECK(log.tell(0, "no right", begin) == 0U);
  CHECK(log.tell(0, "no file descriptors", begin + 60s) == 59U);
}

TEST_CASE("faults that differ each time do not pile up: they are forgotten, and told anew", "[probe][log]") {
  fault_log log;
  const nearside::score::instant begin{1h};
  for (int i = 0; i < 1000; ++i) REQUIRE(log.tell(0, "fault " + std::to_string(i), begin) == 0U);
  CHECK(log.tell(0, "fault 0", begin + 1s) == 0U);
}
