// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/errc_text.hpp"

#include <catch2/catch.hpp>

using namespace nearside;

TEST_CASE("every kind of failure has a name of its own, and is found by it", "[base][errc]") {
  for (int number = 0; number <= static_cast<int>(errc::system); ++number) {
    const auto kind = static_cast<errc>(number);
    INFO(number);
    CHECK(errc_of(text_of(kind)) == kind);
  }
  CHECK(errc_of("nonsense") == errc::system);
}
