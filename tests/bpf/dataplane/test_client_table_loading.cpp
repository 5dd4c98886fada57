// SPDX-License-Identifier: BSD-2-Clause
// The client tables made anew, after an agent before, and shown to people by differences.
#include <array>

#include "tests/bpf/dataplane/client_table_fixture.hpp"

namespace nearside::tests {

TEST_CASE("an agent started again leaves the rows as they are until it loads others, by differences", "[clients]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f;
  dice random(7);
  std::map<prefix, client_row> rows;
  reference plain;
  for (int i = 0; i < 1500; ++i) {
    const bool four = i % 2 == 0;
    const unsigned length = four ? 16 + random() % 17 : (random() % 2 == 0 ? 64 : 48);
    const client_row r{{masked(four ? draw4(random) : draw6(random), length), static_cast<std::uint8_t>(length)},
                       1 + random() % 900,
                       {{1, 2, 3, 4}, {}}};
    f.clients.put(r);
    rows[r.who] = r;
    plain.put(r);
  }
  f.clients.flush().value();
  const auto same_for_all = [&](const char* when) {
    for (int i = 0; i < 3000; ++i) {
      const auto source = i % 2 == 0 ? draw4(random) : draw6(random);
      CAPTURE(when, source.to_string());
      REQUIRE(dataplane::site_of(f.tables, source) == plain.site_of(source));
    }
  };
  const object again = object::open(f.pins.path()).value();
  client_table next(again, [&f] { return f.now; });
  same_for_all("before it loads");

  // The half of them stays, one with another site, and one goes while the others are loaded.
  std::vector<client_row> kept;
  bool odd = false;
  for (const auto& [who, r] : rows)
    if (odd = !odd; odd) kept.push_back(r);
  kept.front().site = 950;
  plain = {};
  for (const client_row& r : kept) plain.put(r);
  next.begin_loading().value();
  while (next.clear_some()) CHECK_FALSE(f.site("10.0.0.1"));
  for (const client_row& r : kept) next.put(r);
  next.erase(kept.back().who);
  plain.erase(kept.back().who);
  next.finish_loading();
  same_for_all("loaded");

  // Only what differs is written for people.
  const auto stats = next.flush().value();
  CHECK(stats.written == rows.size() - plain.size() + 1);
  CHECK(stats.shown == plain.size());
  CHECK(stats.unwritten == 0);
  CHECK(load_rows(next, {}).shown == 0);
  plain = {};
  same_for_all("emptied");
}

TEST_CASE("while rows are loaded, and after an agent has died over it, every client passes", "[clients]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f;
  const std::vector<client_row> rows{{mapping::parse_prefix("192.0.2.53").value(), 3, {}},
                                     {mapping::parse_prefix("198.51.100.0/24").value(), 4, {}},
                                     {mapping::parse_prefix("2001:db8:1:2::/64").value(), 5, {}}};
  load_rows(f.clients, rows);
  const auto site = [&](const char* source) {
    return dataplane::site_of(f.tables, boost::asio::ip::make_address(source));
  };
  const std::array sources{"192.0.2.53", "198.51.100.7", "2001:db8:1:2::9", "203.0.113.1", "2001:db8:ffff::1"};
  f.clients.begin_loading().value();
  REQUIRE(f.clients.clear_some());
  for (const char* source : sources) CHECK_FALSE(site(source).has_value());
  const object again = object::open(f.pins.path()).value();
  client_table next(again, [&f] { return f.now; });
  for (const char* source : sources) CHECK_FALSE(site(source).has_value());
  load_rows(next, rows);
  CHECK((f.tables.config().flags & CONFIG_ROWS_LOADING) == 0);
  CHECK(site("192.0.2.53") == 3U);
  CHECK(site("198.51.100.7") == 4U);
  CHECK(site("2001:db8:1:2::9") == 5U);
  CHECK(site("203.0.113.1") == 0U);
}

TEST_CASE("one flush shows a bounded number of rows, and the next ones the others", "[clients]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f(16384);
  const std::size_t count = client_table::most_shown + 100;
  for (std::uint32_t i = 0; i < count; ++i) f.clients.put({{ip::address_v4(0x0a000000u + i), 32}, 1 + i % 900, {}});
  CHECK(f.site("10.0.0.0") == 1U);
  const auto first = f.clients.flush().value();
  CHECK(first.written == client_table::most_shown);
  CHECK(first.unwritten == 100);
  const auto second = f.clients.flush().value();
  CHECK(second.written == 100);
  CHECK(second.unwritten == 0);
  CHECK(second.shown == count);
  CHECK(f.clients.flush().value().written == 0);
}

TEST_CASE("maps that were just made need no clearing, those of an earlier agent are cleared piece by piece",
          "[clients]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root pins;
  {
    const object made = object::open_or_create(pins.path(), client_table_fixture::sizes(4096, 4096)).value();
    CHECK(made.is_new());
    client_table clients(made);
    clients.begin_loading().value();
    CHECK_FALSE(clients.clear_some());
    clients.put(row("192.0.2.0", 24, 7));
    clients.finish_loading();
    // Once more: now there is something.
    clients.begin_loading().value();
    CHECK(clients.clear_some());
  }
  const object found = object::open_or_create(pins.path(), client_table_fixture::sizes(4096, 4096)).value();
  CHECK_FALSE(found.is_new());
  client_table clients(found);
  clients.begin_loading().value();
  int pieces = 0;
  while (clients.clear_some()) ++pieces;
  CHECK(pieces > 64);
  clients.finish_loading();
  CHECK(dataplane::site_of(found, ip::make_address("192.0.2.1")) == 0U);
}

}  // namespace nearside::tests
