// SPDX-License-Identifier: BSD-2-Clause
// The client tables: what the program finds in them is the longest row that covers the client, whatever came and went
// before; what finds no room is left to the agent and never answered wrongly.
#include <bpf/bpf.h>

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "agent/dataplane/client_lookup.hpp"
#include "agent/dataplane/client_table.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"
#include "tests/support/load_rows.hpp"

namespace nearside::tests {
namespace {

namespace ip = boost::asio::ip;
using namespace std::chrono_literals;
using dataplane::client_row;
using dataplane::client_table;
using dataplane::map_id;
using dataplane::object;
using mapping::prefix;

ip::address masked(const ip::address& address, unsigned length) {
  const auto mask = [length](auto octets) {
    for (unsigned bit = length; bit < octets.size() * 8; ++bit)
      octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] & ~(0x80u >> bit % 8));
    return octets;
  };
  if (address.is_v4()) return ip::address_v4(mask(address.to_v4().to_bytes()));
  return ip::address_v6(mask(address.to_v6().to_bytes()));
}

prefix make(const std::string& address, unsigned length) {
  return {masked(ip::make_address(address), length), static_cast<std::uint8_t>(length)};
}

client_row row(const std::string& address, unsigned length, std::uint32_t site) {
  return {make(address, length), site, {{192, 0, 2, static_cast<std::uint8_t>(site)}, {}}};
}

/// All rows once more, in the plainest way that there is.
class reference {
 public:
  void put(const client_row& r) { rows_[{r.who.address, r.who.length}] = r.site; }
  void erase(const prefix& who) { rows_.erase({who.address, who.length}); }
  [[nodiscard]] std::uint32_t site_of(const ip::address& source) const {
    for (unsigned length = source.is_v4() ? 33 : 65; length-- > 0;) {
      const auto found = rows_.find({masked(source, length), length});
      if (found != rows_.end()) return found->second;
    }
    return 0;
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  std::map<std::pair<ip::address, unsigned>, std::uint32_t> rows_;
};

/// The same numbers every time.
class dice {
 public:
  explicit dice(std::uint32_t seed) : numbers_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(numbers_()); }

 private:
  std::mt19937 numbers_;
};

struct fixture {
  explicit fixture(std::uint32_t rows4 = 4096, std::uint32_t rows6 = 4096)
      : tables(object::open_or_create(pins.path(), sizes(rows4, rows6)).value()),
        clients(tables, [this] { return now; }) {
    load_rows(clients, {});
  }

  static dataplane::map_sizes sizes(std::uint32_t rows4, std::uint32_t rows6) {
    auto s = small_sizes();
    s.mapping4 = rows4;
    s.mapping6 = rows6;
    s.sites = 1000;
    return s;
  }
  [[nodiscard]] std::optional<std::uint32_t> site(const std::string& source) const {
    return dataplane::site_of(tables, ip::make_address(source));
  }

  pin_root pins;
  object tables;
  std::chrono::steady_clock::time_point now{};
  client_table clients;
};

/// Few bits at each place, so that prefixes are often nested.
ip::address draw4(dice& random) {
  return ip::address_v4(0x0a000000u | (random() & 0x1u) << 16 | (random() & 0x3u) << 8 | (random() & 0xffu));
}

ip::address draw6(dice& random) {
  ip::address_v6::bytes_type octets{0x20, 1, 0xd, 0xb8};
  for (const std::size_t at : {5, 7, 15}) octets[at] = static_cast<std::uint8_t>(random() & 0x3u);
  octets[6] = static_cast<std::uint8_t>(random() & 0x80u);
  return ip::address_v6(octets);
}

}  // namespace

TEST_CASE("random rows of all lengths that come, change and go are found as a plain search finds them",
          "[clients][parity]") {
  REQUIRE_KERNEL_SIDE();
  fixture f(20000, 4096);
  reference plain;
  dice random(20240607);
  std::vector<prefix> known;
  // Not more lengths than the program asks for.
  constexpr std::array<unsigned, 8> lengths6{0, 29, 32, 40, 48, 56, 60, 64};
  for (int step = 0; step < 6000; ++step) {
    if (random() % 5 < 3 || known.empty()) {
      const bool four = random() % 2 == 0;
      const unsigned length = four ? (random() % 64 == 0 ? random() % 9 : 9 + random() % 24) : lengths6[random() % 8];
      const auto address = four ? draw4(random) : draw6(random);
      const client_row r{{masked(address, length), static_cast<std::uint8_t>(length)}, 1 + random() % 900, {}};
      f.clients.put(r);
      plain.put(r);
      known.push_back(r.who);
    } else {
      const std::size_t which = random() % known.size();
      f.clients.erase(known[which]);
      plain.erase(known[which]);
      known[which] = known.back();
      known.pop_back();
    }
    if (step % 100 == 0) f.now += 1s;
    if (step % 250 == 0) REQUIRE(f.clients.flush().value().left_rows6 == 0);
    for (int i = 0; i < 8; ++i) {
      const auto source = random() % 2 == 0 ? draw4(random) : draw6(random);
      CAPTURE(step, source.to_string());
      REQUIRE(dataplane::site_of(f.tables, source) == plain.site_of(source));
    }
  }
  const auto stats = f.clients.flush().value();
  CHECK(stats.rows4 + stats.rows6 == plain.size());
  CHECK(stats.shown == plain.size());
  CHECK(stats.left_blocks4 == 0);
  // All taken away again, nothing is left.
  for (const prefix& who : known) f.clients.erase(who);
  const auto empty = f.clients.flush().value();
  CHECK(empty.rows4 + empty.rows6 + empty.entries4 + empty.entries6 + empty.shown == 0);
  CHECK(f.tables.config().lengths6 == 0);
  CHECK(std::all_of(f.tables.sites4().begin(), f.tables.sites4().end(), [](std::uint32_t w) { return w == 0; }));
}

TEST_CASE("a row inside another one leaves the outer row's site when it goes", "[clients]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  f.clients.put(row("10.1.0.0", 16, 1));
  f.clients.put(row("10.1.2.0", 24, 2));
  f.clients.put(row("10.1.2.128", 25, 3));
  f.clients.put(row("10.1.2.200", 32, 4));
  CHECK(f.site("10.1.3.1") == 1U);
  CHECK(f.site("10.1.2.1") == 2U);
  CHECK(f.site("10.1.2.129") == 3U);
  CHECK(f.site("10.1.2.200") == 4U);
  CHECK(f.site("10.2.0.1") == 0U);
  f.clients.erase(make("10.1.2.128", 25));
  CHECK(f.site("10.1.2.129") == 2U);
  CHECK(f.site("10.1.2.200") == 4U);
  f.clients.erase(make("10.1.2.0", 24));
  CHECK(f.site("10.1.2.1") == 1U);
  CHECK(f.site("10.1.2.200") == 4U);
  f.clients.erase(make("10.1.2.200", 32));
  CHECK(f.site("10.1.2.200") == 1U);
  f.clients.erase(make("10.1.0.0", 16));
  CHECK(f.site("10.1.2.200") == 0U);
  // The least and the greatest address, and the row of everything.
  f.clients.put(row("0.0.0.0", 32, 5));
  // An empty entry behind it must not be taken for it.
  for (auto& bucket : f.tables.rows4())
    std::sort(std::begin(bucket.rows), std::end(bucket.rows), [](auto& a, auto& b) { return a.word > b.word; });
  f.clients.put(row("255.255.255.255", 32, 6));
  f.clients.put(row("0.0.0.0", 0, 7));
  CHECK(f.site("0.0.0.0") == 5U);
  CHECK(f.site("0.0.0.1") == 7U);
  CHECK(f.site("255.255.255.255") == 6U);
  f.clients.put(row("::", 0, 8));
  f.clients.put(row("::", 64, 9));
  CHECK(f.site("::1") == 9U);
  CHECK(f.site("2001:db8::1") == 8U);
  CHECK_THROWS(f.clients.put(row("2001:db8::", 65, 1)));
}

TEST_CASE("people see rows of resolver and edge, and changes of them after a flush", "[clients]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  f.clients.put(row("192.0.2.7", 32, 3));
  client_row six = row("2001:db8:1::", 64, 4);
  six.edge.ipv6 = {0x20, 1, 0xd, 0xb8, 0, 0xe};
  f.clients.put(six);
  CHECK(f.clients.flush().value().written == 2);
  mapping_key4 key{32, {192, 0, 2, 7}};
  mapping_value seen{};
  REQUIRE(bpf_map_lookup_elem(f.tables.fd(map_id::mapping4), &key, &seen) == 0);
  CHECK(seen.site == 3);
  CHECK(std::equal(std::begin(seen.edge4), std::end(seen.edge4), row("192.0.2.7", 32, 3).edge.ipv4.begin()));
  mapping_key6 key6{64, {0x20, 1, 0xd, 0xb8, 0, 1}};
  REQUIRE(bpf_map_lookup_elem(f.tables.fd(map_id::mapping6), &key6, &seen) == 0);
  CHECK(seen.site == 4);
  CHECK(std::equal(std::begin(seen.edge6), std::end(seen.edge6), six.edge.ipv6.begin()));
  CHECK(f.clients.flush().value().written == 0);
  f.clients.put(six);
  CHECK(f.clients.flush().value().written == 0);
  six.edge.ipv4 = {198, 51, 100, 1};
  f.clients.put(six);
  f.clients.erase(make("192.0.2.7", 32));
  CHECK(f.clients.flush().value().written == 2);
  CHECK(bpf_map_lookup_elem(f.tables.fd(map_id::mapping4), &key, &seen) != 0);
  REQUIRE(bpf_map_lookup_elem(f.tables.fd(map_id::mapping6), &key6, &seen) == 0);
  CHECK(seen.edge4[0] == 198);
}

TEST_CASE("an agent started again leaves the rows as they are until it loads others, by differences", "[clients]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
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
  fixture f;
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
  fixture f(16384);
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
    const object made = object::open_or_create(pins.path(), fixture::sizes(4096, 4096)).value();
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
  const object found = object::open_or_create(pins.path(), fixture::sizes(4096, 4096)).value();
  CHECK_FALSE(found.is_new());
  client_table clients(found);
  clients.begin_loading().value();
  int pieces = 0;
  while (clients.clear_some()) ++pieces;
  CHECK(pieces > 64);
  clients.finish_loading();
  CHECK(dataplane::site_of(found, ip::make_address("192.0.2.1")) == 0U);
}

TEST_CASE("rows that find no room are left to the agent, and answered again when there is room", "[clients][full]") {
  REQUIRE_KERNEL_SIDE();
  fixture f(8, 8);
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
  fixture f;
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
  fixture f(0, 0);
  CHECK_FALSE(f.site("192.0.2.1"));
  CHECK_FALSE(f.site("0.0.0.1"));
  f.clients.put(row("192.0.2.1", 32, 1));
  CHECK_FALSE(f.site("192.0.2.1"));
  CHECK(f.clients.flush().value().rows4 == 1);
}

TEST_CASE("a site without a number in the tables is left to the agent", "[clients][full]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  f.clients.put(row("192.0.2.0", 24, MAX_SITES - 1));
  CHECK(f.site("192.0.2.1") == MAX_SITES - 1);
  f.clients.put(row("192.0.2.0", 24, MAX_SITES));
  CHECK_FALSE(f.site("192.0.2.1"));
}

}  // namespace nearside::tests
