// SPDX-License-Identifier: BSD-2-Clause
// The client tables: what the program finds in them is the longest row that covers the client, whatever came and went
// before.
#include <bpf/bpf.h>

#include "tests/bpf/dataplane/client_table_fixture.hpp"

namespace nearside::tests {

TEST_CASE("random rows of all lengths that come, change and go are found as a plain search finds them",
          "[clients][parity]") {
  REQUIRE_KERNEL_SIDE();
  client_table_fixture f(20000, 4096);
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
  client_table_fixture f;
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
  client_table_fixture f;
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

}  // namespace nearside::tests
