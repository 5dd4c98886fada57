// SPDX-License-Identifier: BSD-2-Clause
// SCOPE PREFIX-LENGTH: as wide as the row, and never over another one (RFC 7871 7.2.1).
#include "agent/backbone/scopes.hpp"

#include <catch2/catch.hpp>

#include "unit/mapping/fixture.hpp"

namespace nearside::backbone {

using mapping::pre;

namespace {

scopes with(const std::vector<std::string>& rows) {
  scopes made;
  for (const auto& row : rows) made.insert(pre(row));
  return made;
}

}  // namespace

TEST_CASE("a row alone has its own length as scope", "[backbone][scopes]") {
  CHECK(with({"198.51.0.0/16"}).scope_of(pre("198.51.100.0/24"), 16) == 16);
  CHECK(with({"198.51.100.0/24"}).scope_of(pre("198.51.100.0/24"), 24) == 24);
  CHECK(with({"2001:db8::/32"}).scope_of(pre("2001:db8:1::/56"), 32) == 32);
}

TEST_CASE("without any row every client may have the answer", "[backbone][scopes]") {
  CHECK(scopes().scope_of(pre("198.51.100.0/24"), 0) == 0);
  CHECK(with({"2001:db8::/32"}).scope_of(pre("198.51.100.0/24"), 0) == 0);
}

TEST_CASE("the scope leaves out rows inside a wider one", "[backbone][scopes]") {
  const auto s = with({"198.51.0.0/16", "198.51.100.0/24"});
  CHECK(s.scope_of(pre("198.51.0.0/24"), 16) == 18);    // 198.51.0.0/18 ends before 198.51.64.0
  CHECK(s.scope_of(pre("198.51.200.0/24"), 16) == 17);  // 198.51.128.0/17
  CHECK(s.scope_of(pre("198.51.101.0/24"), 16) == 24);
  CHECK(s.scope_of(pre("198.51.100.0/24"), 24) == 24);
}

TEST_CASE("a client without a row does not take its answer to those that have one", "[backbone][scopes]") {
  const auto s = with({"198.51.100.0/24"});
  CHECK(s.scope_of(pre("10.0.0.0/24"), 0) == 1);
  CHECK(s.scope_of(pre("198.51.101.0/24"), 0) == 24);
}

TEST_CASE("a prefix with a row inside is told to say more", "[backbone][scopes]") {
  const auto s = with({"198.51.0.0/16", "198.51.100.0/24"});
  CHECK(s.scope_of(pre("198.51.96.0/20"), 16) == 24);
  CHECK(s.scope_of(pre("198.51.0.0/16"), 16) == 24);
}

TEST_CASE("rows that begin together are told apart by their length", "[backbone][scopes]") {
  const auto s = with({"198.51.0.0/16", "198.51.0.0/20", "198.51.0.0/24"});
  CHECK(s.scope_of(pre("198.51.0.0/24"), 24) == 24);
  CHECK(s.scope_of(pre("198.51.1.0/24"), 20) == 24);
  CHECK(s.scope_of(pre("198.51.8.0/24"), 20) == 21);
  CHECK(s.scope_of(pre("198.51.16.0/24"), 16) == 20);
}

TEST_CASE("rows longer than what counts of a client's prefix change no scope", "[backbone][scopes]") {
  const auto s = with({"198.51.100.53/32", "2001:db8::/64"});
  CHECK(s.scope_of(pre("198.51.100.0/24"), 0) == 0);
  CHECK(s.scope_of(pre("2001:db8::/56"), 0) == 0);
}

TEST_CASE("a row that is gone no longer narrows a scope", "[backbone][scopes]") {
  auto s = with({"198.51.0.0/16", "198.51.100.0/24"});
  s.erase(pre("198.51.100.0/24"));
  CHECK(s.scope_of(pre("198.51.101.0/24"), 16) == 16);
}

TEST_CASE("no two answers overlap, whatever the rows", "[backbone][scopes]") {
  // All of 10.0.0.0/16 by /24: two blocks told to clients of different rows must have no address in common.
  const std::vector<std::string> rows{"10.0.0.0/16", "10.0.8.0/21", "10.0.10.0/23", "10.0.64.0/24", "10.0.65.0/24"};
  const auto s = with(rows);
  std::vector<std::pair<mapping::prefix, std::string>> told;
  for (unsigned third = 0; third < 256; ++third) {
    const auto client = pre("10.0." + std::to_string(third) + ".0/24");
    std::string row;
    for (const auto& r : rows) {
      if (mapping::contains(pre(r), client)) row = r;
    }
    const auto length = s.scope_of(client, pre(row).length);
    told.emplace_back(mapping::prefix_of(client.address, length), row);
  }
  for (const auto& [a, row_a] : told) {
    for (const auto& [b, row_b] : told) {
      if (row_a != row_b) CHECK_FALSE(mapping::contains(a, b));
    }
  }
}

}  // namespace nearside::backbone
