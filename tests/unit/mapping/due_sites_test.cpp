// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/due_sites.hpp"

#include <array>
#include <catch2/catch.hpp>

namespace nearside::mapping {

using numbers = std::vector<site_id>;

TEST_CASE("a site that waits is taken once, in the order in which sites came", "[mapping][due_sites]") {
  due_sites due;
  due.add(std::array<site_id, 4>{7, 3, 7, 0});
  due.add(std::array<site_id, 2>{3, 9});
  CHECK(due.size() == 4);
  CHECK(due.take(2) == numbers{7, 3});
  due.add(std::array<site_id, 2>{0, 7});
  CHECK(due.take(10) == numbers{0, 9, 7});
  CHECK(due.empty());
  CHECK(due.take(1).empty());
}

}  // namespace nearside::mapping
