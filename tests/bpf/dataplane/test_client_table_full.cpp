// SPDX-License-Identifier: BSD-2-Clause
// Client tables without room: what is not in them is left to the agent and never answered wrongly.
#include "tests/bpf/dataplane/client_table_fixture.hpp"

namespace nearside::tests {

TEST_CASE("rows that find no room are left to the agent, and answered again when there is room", "[clients][full]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f(8, 8);
  reference plain;
  std::vector<client_row> rows;
  f.clients.put(row("10.0.0.0", 8, 1));
  plain.put(row("10.0.0.0", 8, 1));
  f.clients.put(row("2001:db8::", 32, 2));
  plain.put(row("2001:db8::", 32, 2));
  for (std::uint32_t i = 0; i < 300; ++i) {
    rows.push_back({{ip::address_v4(0x0a000000u | i << 6), 32}, 3 + i, {}});
    auto six = row("2001:db8::", 64, 3 + i);
    auto octets = six.who.address.to_v6().to_bytes();
    octets[6] = static_cast<std::uint8_t>(i >> 8);
    octets[7] = static_cast<std::uint8_t>(i);
    six.who.address = ip::address_v6(octets);
    rows.push_back(six);
  }
  std::size_t passed = 0;
  const auto never_wrong = [&] {
    for (const client_row& r : rows) {
      const auto found = dataplane::site_of(f.tables, r.who.address);
      if (found) REQUIRE(*found == plain.site_of(r.who.address));
      passed += found ? 0 : 1;
    }
  };
  for (const client_row& r : rows) {
    f.clients.put(r);
    plain.put(r);
    never_wrong();
  }
  CHECK(passed > 1000);
  auto stats = f.clients.flush().value();
  CHECK(stats.left_blocks4 > 0);
  CHECK(stats.left_rows6 > 0);
  CHECK(stats.shown == 16);
  CHECK(stats.notes.size() == 3);
  CHECK(f.site("10.99.0.1") == 1U);         // another /24 is as it was
  CHECK_FALSE(f.site("2001:db8:ffff::1"));  // what has no /64 may be a row that found no room
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % 300 < 4) continue;
    f.clients.erase(rows[i].who);
    plain.erase(rows[i].who);
    if (i % 16 == 0) f.clients.flush().value();
    f.now += 100ms;
    never_wrong();
  }
  f.now += 2s;
  f.clients.flush().value();
  stats = f.clients.flush().value();
  CHECK(stats.left_blocks4 == 0);
  CHECK(stats.left_rows6 == 0);
  CHECK(stats.notes.empty());
  passed = 0;
  never_wrong();
  CHECK(passed == 0);
  CHECK(f.site("2001:db8:ffff::1") == 2U);
}

TEST_CASE("more IPv6 prefix lengths than the program asks for are left to the agent, a /64 never is",
          "[clients][full]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f;
  for (unsigned length = 30; length < 40; ++length) f.clients.put(row("2001:db8::", length, length));
  CHECK(f.clients.flush().value().left_rows6 == 3);
  CHECK_FALSE(f.site("2001:db8::1"));
  f.clients.put(row("2001:db8::", 64, 64));
  CHECK(f.site("2001:db8::1") == 64U);
  for (unsigned length = 30; length < 33; ++length) f.clients.erase(make("2001:db8::", length));
  CHECK(f.clients.flush().value().left_rows6 == 0);
  f.clients.erase(make("2001:db8::", 64));
  CHECK(f.site("2001:db8::1") == 39U);
}

TEST_CASE("a node whose maps were made without room for a mapping knows no IPv4 client", "[clients][full]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f(0, 0);
  CHECK_FALSE(f.site("192.0.2.1"));
  CHECK_FALSE(f.site("0.0.0.1"));
  f.clients.put(row("192.0.2.1", 32, 1));
  CHECK_FALSE(f.site("192.0.2.1"));
  CHECK(f.clients.flush().value().rows4 == 1);
}

TEST_CASE("a site without a number in the tables is left to the agent", "[clients][full]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f;
  f.clients.put(row("192.0.2.0", 24, MAX_SITES - 1));
  CHECK(f.site("192.0.2.1") == MAX_SITES - 1);
  f.clients.put(row("192.0.2.0", 24, MAX_SITES));
  CHECK_FALSE(f.site("192.0.2.1"));
}

}  // namespace nearside::tests
