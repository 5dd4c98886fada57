// SPDX-License-Identifier: BSD-2-Clause
#include "agent/due_sites.hpp"

#include <array>
#include <catch2/catch.hpp>

namespace nearside {

using sites = std::vector<mapping::site_id>;

TEST_CASE("a site that waits is taken once, in the order in which sites came", "[mapping][due_sites]") {
  due_sites due;
  due.add(std::array<mapping::site_id, 4>{7, 3, 7, 0});
  due.add(std::array<mapping::site_id, 2>{3, 9});
  CHECK(due.size() == 4);
  CHECK(due.take(2) == sites{7, 3});
  due.add(std::array<mapping::site_id, 2>{0, 7});
  CHECK(due.take(10) == sites{0, 9, 7});
  CHECK(due.empty());
  CHECK(due.take(1).empty());
}

}  // namespace nearside
