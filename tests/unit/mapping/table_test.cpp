// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/table.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {
namespace {

const std::string& name_of(edge_id edge) {
  static std::map<edge_id, std::string> names;
  auto& name = names[edge];
  // Not in the order of the numbers: 3 before 2 before 1.
  if (name.empty()) name = std::string(1, static_cast<char>('z' - edge % 20)) + std::to_string(edge) + ".example.";
  return name;
}

claim proved(edge_id edge, std::optional<std::chrono::microseconds> rtt = std::nullopt) {
  claim c;
  c.edge = edge;
  c.rtt = rtt;
  return c;
}
claim by_table(edge_id edge, std::uint32_t rank) {
  claim c;
  c.edge = edge;
  c.from = source::table;
  c.rank = rank;
  return c;
}

std::vector<edge_id> order_of(const row* of) {
  std::vector<edge_id> edges;
  if (of != nullptr)
    for (const claim& c : of->claims) edges.push_back(c.edge);
  return edges;
}
std::vector<edge_id> edges_at(const table& t, const char* who) {
  const row* found = t.at(pre(who));
  if (found == nullptr) return {};
  const auto edges = t.edges_of(found->site);
  return {edges.begin(), edges.end()};
}

TEST_CASE("a row's edges are by RTT, none last, then by name", "[mapping][table]") {
  table t(name_of);
  t.put(pre("192.0.2.53"), proved(1));
  t.put(pre("192.0.2.53"), proved(2));
  t.put(pre("192.0.2.53"), proved(3, 900us));
  t.put(pre("192.0.2.53"), proved(4, 300us));
  t.put(pre("192.0.2.53"), proved(5, 300us));
  CHECK(order_of(t.at(pre("192.0.2.53"))) == std::vector<edge_id>{5, 4, 3, 2, 1});
  CHECK(edges_at(t, "192.0.2.53") == std::vector<edge_id>{5, 4, 3});
}

TEST_CASE("the operator's rows come after proved ones, in their own order", "[mapping][table]") {
  table t(name_of);
  t.put(pre("192.0.2.53"), by_table(5, 1));
  t.put(pre("192.0.2.53"), by_table(6, 0));
  t.put(pre("192.0.2.53"), proved(1));
  CHECK(edges_at(t, "192.0.2.53") == std::vector<edge_id>{1, 6, 5});
}

TEST_CASE("an edge that is in a row twice counts once", "[mapping][table]") {
  table t(name_of);
  t.put(pre("192.0.2.53"), by_table(1, 0));
  t.put(pre("192.0.2.53"), by_table(2, 1));
  t.put(pre("192.0.2.53"), proved(2));
  CHECK(edges_at(t, "192.0.2.53") == std::vector<edge_id>{2, 1});
  t.erase(pre("192.0.2.53"), 2, source::proved);
  CHECK(edges_at(t, "192.0.2.53") == std::vector<edge_id>{1, 2});
}

TEST_CASE("a claim takes the place of the edge's former one", "[mapping][table]") {
  table t(name_of);
  t.put(pre("192.0.2.53"), proved(1, 100us));
  t.put(pre("192.0.2.53"), proved(2, 200us));
  t.put(pre("192.0.2.53"), proved(1, 300us));
  CHECK(order_of(t.at(pre("192.0.2.53"))) == std::vector<edge_id>{2, 1});
  claim later = proved(1, 300us);
  later.proved = when(7);
  t.put(pre("192.0.2.53"), later);
  CHECK(t.at(pre("192.0.2.53"))->claims[1].proved == when(7));
  t.erase(pre("192.0.2.53"), 2, source::table);
  t.erase(pre("192.0.2.53"), 7, source::proved);
  t.erase(pre("192.0.2.54"), 2, source::proved);
  CHECK(order_of(t.at(pre("192.0.2.53"))) == std::vector<edge_id>{2, 1});
}

TEST_CASE("the longest row answers, for addresses and for ECS prefixes", "[mapping][table]") {
  table t(name_of);
  t.put(pre("0.0.0.0/0"), proved(1));
  t.put(pre("192.0.2.0/24"), proved(2));
  t.put(pre("192.0.2.128/25"), proved(3));
  t.put(pre("192.0.2.129/32"), proved(4));
  t.put(pre("2001:db8::/32"), proved(5));
  t.put(pre("2001:db8:0:1::/64"), proved(6));
  const auto edge = [&](const row* found) { return found == nullptr ? 0 : found->claims[0].edge; };
  CHECK(edge(t.find(at("192.0.2.129"))) == 4);
  CHECK(edge(t.find(at("192.0.2.130"))) == 3);
  CHECK(edge(t.find(at("192.0.2.1"))) == 2);
  CHECK(edge(t.find(at("192.0.3.1"))) == 1);
  CHECK(edge(t.find(at("::ffff:192.0.2.129"))) == 4);
  CHECK(edge(t.find(at("2001:db8:0:1:2:3:4:5"))) == 6);
  CHECK(edge(t.find(at("2001:db8:0:2::1"))) == 5);
  CHECK(t.find(at("2001:db9::1")) == nullptr);
  CHECK(edge(t.find(pre("192.0.2.128/25"))) == 3);
  CHECK(edge(t.find(pre("192.0.2.128/26"))) == 3);
  CHECK(edge(t.find(pre("192.0.2.0/24"))) == 2);
  CHECK(edge(t.find(pre("192.0.2.0/23"))) == 1);
  CHECK(edge(t.find(pre("2001:db8::/56"))) == 5);
  CHECK(edge(t.find(pre("2001:db8:0:1::1/128"))) == 6);
  CHECK(t.at(pre("192.0.2.0/25")) == nullptr);
}

TEST_CASE("an IPv6 prefix longer than 64 is no row's key", "[mapping][table]") {
  table t(name_of);
  CHECK_FALSE(t.put(pre("2001:db8::/65"), proved(1)));
  CHECK(t.put(pre("2001:db8::/64"), proved(1)));
  CHECK(t.at(pre("2001:db8::/65")) == nullptr);
  t.erase(pre("2001:db8::/65"), 1, source::proved);
  CHECK(t.size() == 1);
}

TEST_CASE("rows with the same edges have the same site", "[mapping][table][sites]") {
  table t(name_of);
  for (const char* who : {"192.0.2.1", "192.0.2.2", "2001:db8::/64"}) {
    t.put(pre(who), proved(1, 100us));
    t.put(pre(who), proved(2, 200us));
  }
  t.put(pre("192.0.2.3"), proved(2, 100us));
  t.put(pre("192.0.2.3"), proved(1, 200us));
  const site_id first = t.at(pre("192.0.2.1"))->site;
  CHECK(first != default_site);
  CHECK(t.at(pre("192.0.2.2"))->site == first);
  CHECK(t.at(pre("2001:db8::/64"))->site == first);
  CHECK(t.at(pre("192.0.2.3"))->site != first);
  CHECK(edges_at(t, "192.0.2.3") == std::vector<edge_id>{2, 1});
  CHECK(t.edges_of(default_site).empty());
  CHECK(t.edges_of(t.sites_end()).empty());
  static_cast<void>(t.take_changes());
  auto with = t.sites_with(2);
  std::sort(with.begin(), with.end());
  CHECK(with == std::vector<site_id>{std::min(first, t.at(pre("192.0.2.3"))->site),
                                     std::max(first, t.at(pre("192.0.2.3"))->site)});
  CHECK(t.sites_with(3).empty());
}

TEST_CASE("a change is told once, and what is changed and changed back is not told", "[mapping][table][changes]") {
  table t(name_of);
  t.put(pre("192.0.2.1"), proved(1));
  t.put(pre("192.0.2.1"), proved(2, 5us));
  t.put(pre("192.0.2.1"), proved(3, 9us));
  auto told = t.take_changes();
  REQUIRE(told.rows.size() == 1);
  CHECK(told.rows[0].who == pre("192.0.2.1"));
  CHECK(told.rows[0].site == t.at(pre("192.0.2.1"))->site);
  CHECK(told.new_sites == std::vector<site_id>{*told.rows[0].site});  // not those of the moments between
  CHECK(told.free_sites.empty());

  const auto nothing = [&] {
    const auto none = t.take_changes();
    return none.rows.empty() && none.new_sites.empty() && none.free_sites.empty();
  };
  CHECK(nothing());
  t.put(pre("192.0.2.1"), proved(1, 1us));
  t.put(pre("192.0.2.1"), proved(1));
  CHECK(nothing());
  claim refreshed = proved(1);
  refreshed.proved = when(60);
  t.put(pre("192.0.2.1"), refreshed);
  CHECK(nothing());
  t.put(pre("192.0.2.1"), by_table(4, 0));  // the fourth does not count
  CHECK(nothing());
  t.erase(pre("192.0.2.1"), 4, source::table);
  for (const edge_id edge : {1U, 2U, 3U}) t.erase(pre("192.0.2.1"), edge, source::proved);
  CHECK(t.size() == 0);
  t.put(pre("192.0.2.1"), proved(1));
  t.put(pre("192.0.2.1"), proved(2, 5us));
  t.put(pre("192.0.2.1"), proved(3, 9us));
  CHECK(nothing());
  t.put(pre("192.0.2.2"), proved(1));
  t.erase(pre("192.0.2.2"), 1, source::proved);
  CHECK(nothing());
}

TEST_CASE("a row that is gone is told as gone, and its site as free", "[mapping][table][changes]") {
  table t(name_of);
  t.put(pre("192.0.2.1"), proved(1));
  const site_id site = *t.take_changes().rows.at(0).site;
  t.erase(pre("192.0.2.1"), 1, source::proved);
  CHECK(t.find(at("192.0.2.1")) == nullptr);
  const auto told = t.take_changes();
  REQUIRE(told.rows.size() == 1);
  CHECK(told.rows[0].who == pre("192.0.2.1"));
  CHECK_FALSE(told.rows[0].site);
  CHECK(told.new_sites.empty());
  CHECK(told.free_sites == std::vector<site_id>{site});
  CHECK(t.edges_of(site).empty());
  CHECK(t.sites_with(1).empty());
}

TEST_CASE("the number of a site that is free rests until it is released", "[mapping][table][sites]") {
  table t(name_of);
  t.put(pre("192.0.2.1"), proved(1));
  const site_id site = *t.take_changes().rows.at(0).site;
  t.put(pre("192.0.2.1"), proved(1, 1us));  // the same edges
  CHECK(t.take_changes().rows.empty());
  t.erase(pre("192.0.2.1"), 1, source::proved);
  CHECK(t.take_changes().free_sites == std::vector<site_id>{site});
  t.put(pre("192.0.2.2"), proved(2));
  CHECK(t.at(pre("192.0.2.2"))->site != site);
  // Nor does the same list of edges get it back: readers may be told of the number as free.
  t.put(pre("192.0.2.3"), proved(1));
  CHECK(t.at(pre("192.0.2.3"))->site != site);
  const std::vector<site_id> rested{site, default_site, 4711, t.at(pre("192.0.2.2"))->site};
  t.release(rested);  // the others are not free: nothing happens to them
  t.put(pre("192.0.2.4"), proved(4));
  CHECK(t.at(pre("192.0.2.4"))->site == site);
  t.put(pre("192.0.2.5"), proved(5));
  CHECK(t.at(pre("192.0.2.5"))->site == t.sites_end() - 1);
}

TEST_CASE("a site that came and went between two calls is never told, and its number needs no rest",
          "[mapping][table][sites]") {
  table t(name_of);
  t.put(pre("192.0.2.1"), proved(1));
  const site_id site = t.at(pre("192.0.2.1"))->site;
  t.erase(pre("192.0.2.1"), 1, source::proved);
  const auto told = t.take_changes();
  CHECK(told.new_sites.empty());
  CHECK(told.free_sites.empty());
  CHECK(told.rows.empty());
  t.put(pre("192.0.2.1"), proved(2));
  CHECK(t.at(pre("192.0.2.1"))->site == site);
}

/// The kernel's side of it, which knows only what it is told.
struct follower {
  std::map<prefix, site_id> rows;
  std::map<site_id, std::vector<edge_id>> sites;
  void take(table& t) {
    const auto told = t.take_changes();
    for (const site_id site : told.new_sites) {
      REQUIRE(sites.count(site) == 0);
      const auto edges = t.edges_of(site);
      sites[site] = {edges.begin(), edges.end()};
    }
    std::set<prefix> once;
    for (const row_change& change : told.rows) {
      REQUIRE(once.insert(change.who).second);
      if (change.site) {
        REQUIRE(sites.count(*change.site) == 1);
        REQUIRE((rows.count(change.who) == 0 || rows[change.who] != *change.site));
        rows[change.who] = *change.site;
      } else {
        REQUIRE(rows.erase(change.who) == 1);
      }
    }
    for (const site_id site : told.free_sites) {
      REQUIRE(sites.erase(site) == 1);
      for (const auto& [who, at] : rows) REQUIRE(at != site);
    }
  }
};

TEST_CASE("who follows the changes has the table, and the longest match is that of a search through all rows",
          "[mapping][table][random]") {
  std::mt19937 random(17);
  table t(name_of);
  follower kernel;
  std::map<prefix, std::map<std::pair<edge_id, source>, claim>> naive;
  std::vector<site_id> resting;
  // Few different bits, so that prefixes lie within each other.
  const auto any_address = [&]() -> address {
    if (random() % 2 == 0)
      return boost::asio::ip::address_v4(
          static_cast<std::uint32_t>(0xC0000200U ^ ((random() & 3U) << 30U) ^ (random() & 0x3FU)));
    boost::asio::ip::address_v6::bytes_type octets{0x20, 0x01, 0x0d, 0xb8};
    octets[6] = static_cast<std::uint8_t>(random() & 0xC0U);
    octets[7] = static_cast<std::uint8_t>(random() & 7U);
    octets[15] = static_cast<std::uint8_t>(random());
    return boost::asio::ip::address_v6(octets);
  };
  for (int step = 0; step < 20'000; ++step) {
    const address a = any_address();
    const auto few = static_cast<unsigned>(random() % 20);
    const prefix who =
        prefix_of(a, random() % 50 == 0 ? 0 : static_cast<std::uint8_t>(a.is_v4() ? 32 - few % 12 : 64 - few));
    claim c = random() % 4 == 0 ? by_table(static_cast<edge_id>(random() % 7), static_cast<std::uint32_t>(random() % 3))
                                : proved(static_cast<edge_id>(random() % 7));
    if (random() % 2 == 0) c.rtt = std::chrono::microseconds(random() % 4);
    if (random() % 5 < 2) {
      t.put(who, c);
      naive[who][{c.edge, c.from}] = c;
    } else {
      t.erase(who, c.edge, c.from);
      if (const auto found = naive.find(who); found != naive.end()) {
        found->second.erase({c.edge, c.from});
        if (found->second.empty()) naive.erase(found);
      }
    }
    const address asked = any_address();
    const prefix client = prefix_of(asked, static_cast<std::uint8_t>(random() % 129));
    const prefix* longest = nullptr;
    const prefix* longest_of_client = nullptr;
    for (const auto& [key, claims] : naive) {
      if (contains(key, asked) && (longest == nullptr || key.length > longest->length)) longest = &key;
      if (contains(key, client) && (longest_of_client == nullptr || key.length > longest_of_client->length))
        longest_of_client = &key;
    }
    const row* found = t.find(asked);
    REQUIRE((found == nullptr) == (longest == nullptr));
    if (found != nullptr) REQUIRE(found->who == *longest);
    found = t.find(client);
    REQUIRE((found == nullptr) == (longest_of_client == nullptr));
    if (found != nullptr) REQUIRE(found->who == *longest_of_client);
    if (step % 37 != 0) continue;

    kernel.take(t);
    REQUIRE(t.size() == naive.size());
    REQUIRE(kernel.rows.size() == naive.size());
    for (const auto& [key, claims] : naive) {
      const row* of = t.at(key);
      REQUIRE(of != nullptr);
      std::vector<claim> expected;
      for (const auto& [by, one] : claims) expected.push_back(one);
      std::sort(expected.begin(), expected.end(), [](const claim& x, const claim& y) {
        const auto far = std::chrono::microseconds::max();
        return std::tuple(x.from, x.rtt.value_or(far), x.rank, name_of(x.edge)) <
               std::tuple(y.from, y.rtt.value_or(far), y.rank, name_of(y.edge));
      });
      REQUIRE(of->claims == expected);
      std::vector<edge_id> edges;
      for (const claim& one : expected)
        if (std::find(edges.begin(), edges.end(), one.edge) == edges.end() && edges.size() < 3)
          edges.push_back(one.edge);
      REQUIRE(kernel.sites.at(kernel.rows.at(key)) == edges);
      const auto known = t.edges_of(of->site);
      REQUIRE(std::equal(known.begin(), known.end(), edges.begin(), edges.end()));
      const auto with = t.sites_with(edges[0]);
      REQUIRE(std::find(with.begin(), with.end(), of->site) != with.end());
    }
    if (step % 111 == 0) {
      for (site_id site = 1; site < t.sites_end(); ++site)
        if (kernel.sites.count(site) == 0) resting.push_back(site);
      t.release(resting);
      resting.clear();
    }
  }
  // Seven edges make 252 lists; numbers are used again, so there are not many more.
  CHECK(t.sites_end() < 600);
}

}  // namespace
}  // namespace nearside::mapping
