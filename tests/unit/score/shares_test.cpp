// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/shares.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

namespace nearside::score {
namespace {

std::map<std::uint8_t, double> drawn(const std::vector<dns::alternative>& from, std::size_t times) {
  std::mt19937 random(1);
  std::map<std::uint8_t, double> counted;
  for (std::size_t i = 0; i < times; ++i)
    counted[from[dns::draw(from, static_cast<std::uint32_t>(random()))].order.front()] +=
        1.0 / static_cast<double>(times);
  return counted;
}

TEST_CASE("a million draws show the weights within one part in a hundred", "[score][shares]") {
  const std::vector<std::vector<share>> cases{
      {{0, 3}, {1, 1}}, {{0, 37}, {1, 23}, {2, 40}}, {{0, 1}, {1, 1000}}, {{0, 5}, {1, 5}, {2, 5}, {3, 85}, {4, 1}}};
  for (const auto& shares : cases) {
    double total = 0;
    for (const share& s : shares) total += s.weight;
    const auto made = rotation(shares, 1);
    CHECK(made.size() == shares.size());
    const auto counted = drawn(made, 1'000'000);
    for (const share& s : shares) {
      CHECK(share_of(made, s.address) == Approx(s.weight / total).margin(1.0 / 65536));
      CHECK(counted.at(s.address) == Approx(s.weight / total).margin(0.01));
    }
  }
}

TEST_CASE("the others follow in a circle, as many as an answer may have", "[score][shares]") {
  const auto made = rotation(std::vector<share>{{0, 1}, {3, 1}, {5, 1}}, 2);
  REQUIRE(made.size() == 3);
  CHECK(made[0].order == std::vector<std::uint8_t>{0, 3});
  CHECK(made[2].order == std::vector<std::uint8_t>{5, 0});
  for (const auto& a : made) CHECK(a.share == 0xffff);
}

TEST_CASE("when a server leaves, only its own clients move", "[score][rendezvous]") {
  const std::vector<std::string> servers{"a", "b", "c", "d"};
  const rendezvous hash(servers, {1, 1, 1, 1});
  const auto all = hash.table(std::vector<share>{{0, 1}, {1, 1}, {2, 1}, {3, 1}}, 1);
  const auto fewer = hash.table(std::vector<share>{{0, 1}, {1, 1}, {3, 1}}, 1);
  REQUIRE(all.size() == rendezvous::buckets);
  REQUIRE(fewer.size() == rendezvous::buckets);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].order.front() == 2)
      ++moved;
    else
      CHECK(all[i].order == fewer[i].order);
  }
  CHECK(moved > 0);
}

TEST_CASE("the buckets are shared out by weight", "[score][rendezvous]") {
  const rendezvous equal({"fra1", "ams1", "lhr1", "cdg1"}, {1, 1, 1, 1});
  const auto made = equal.table(std::vector<share>{{0, 1}, {1, 1}, {2, 1}, {3, 1}}, 1);
  for (std::uint8_t a = 0; a < 4; ++a) CHECK(share_of(made, a) == Approx(0.25).margin(0.05));
  const rendezvous weighted({"fra1", "ams1"}, {3, 1});
  const auto heavy = weighted.table(std::vector<share>{{0, 3}, {1, 1}}, 1);
  CHECK(share_of(heavy, 0) == Approx(0.75).margin(0.05));
}

TEST_CASE("servers of weight 0 among themselves share the buckets like others", "[score][rendezvous]") {
  const rendezvous hash({"a", "b"}, {0, 0});
  CHECK(share_of(hash.table(std::vector<share>{{0, 0}, {1, 0}}, 1), 0) == Approx(0.5).margin(0.1));
}

TEST_CASE("what a client's bucket falls on is the same in every release", "[score][rendezvous]") {
  const rendezvous hash({"fra1", "ams1", "lhr1"}, {1, 1, 1});
  std::string firsts;
  for (const auto& a : hash.table(std::vector<share>{{0, 1}, {1, 1}, {2, 1}}, 1))
    firsts += static_cast<char>('0' + a.order.front());
  CHECK(firsts.substr(0, 40) == "0200001212122220210012202121220121202202");
}

}  // namespace
}  // namespace nearside::score
