// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/durations.hpp"

#include <catch2/catch.hpp>

namespace nearside::config {

using namespace std::chrono_literals;

TEST_CASE("a duration is one whole number and one unit", "[config][durations]") {
  CHECK(parse_duration("300us") == 300us);
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("10s") == 10s);
  CHECK(parse_duration("5m") == 5min);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("2d") == 48h);
  CHECK(parse_duration("1w") == 168h);
  CHECK(parse_duration("0s") == 0ms);
}

TEST_CASE("what is not exactly a duration is none", "[config][durations]") {
  for (const char* text :
       {"", "10", "s", "10 s", " 10s", "10s ", "-1s", "+1s", "1.5s", "1h30m", "10S", "10sec", "0x10s", "1_000s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a duration beyond ten thousand weeks does not overflow into a short one", "[config][durations]") {
  CHECK(parse_duration("10000w") == 10'000 * 168h);
  CHECK_FALSE(parse_duration("10001w"));
  CHECK_FALSE(parse_duration("18446744073709551615w"));
  CHECK_FALSE(parse_duration("18446744073709551616s"));
}

TEST_CASE("a duration is written with the largest unit that divides it", "[config][durations]") {
  CHECK(duration_text(0ms) == "0s");
  CHECK(duration_text(300us) == "300us");
  CHECK(duration_text(1000us) == "1ms");
  CHECK(duration_text(250ms) == "250ms");
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(3600s) == "1h");
  CHECK(duration_text(168h) == "1w");
}

}  // namespace nearside::config
