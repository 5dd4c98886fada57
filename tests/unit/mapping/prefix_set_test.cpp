// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/prefix_set.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "agent/mapping/public_resolvers.hpp"
#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {
namespace {

TEST_CASE("a set of prefixes contains what one of them contains", "[mapping][prefix_set]") {
  const std::vector<prefix> all{pre("192.0.2.0/24"),    pre("192.0.2.128/25"), pre("192.0.3.0/24"),
                                pre("198.51.100.7/32"), pre("2001:db8::/33"),  pre("2001:db8:0:1::/64"),
                                pre("2001:db9::1/128")};
  const prefix_set set(all);
  for (const char* text : {"192.0.2.0", "192.0.2.255", "192.0.3.255", "198.51.100.7", "::ffff:192.0.2.1",
                           "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db9::1"}) {
    CAPTURE(text);
    CHECK(set.contains(at(text)));
  }
  for (const char* text : {"192.0.1.255", "192.0.4.0", "198.51.100.6", "198.51.100.8", "0.0.0.0", "255.255.255.255",
                           "::", "2001:db7:ffff::", "2001:db8:8000::", "2001:db9::", "2001:db9::2", "ffff::"}) {
    CAPTURE(text);
    CHECK_FALSE(set.contains(at(text)));
  }
  CHECK_FALSE(prefix_set().contains(at("192.0.2.1")));
  CHECK(prefix_set(std::vector{pre("0.0.0.0/0")}).contains(at("255.255.255.255")));
  CHECK_FALSE(prefix_set(std::vector{pre("0.0.0.0/0")}).contains(at("::1")));
  CHECK(prefix_set(std::vector{pre("::/0")}).contains(at("ffff::")));
}

TEST_CASE("a set of prefixes is what a search through all of them finds", "[mapping][prefix_set][random]") {
  std::mt19937 random(3);
  std::vector<prefix> all = well_known_public_resolvers();
  for (int i = 0; i < 200; ++i)
    all.push_back(prefix_of(boost::asio::ip::address_v4(static_cast<std::uint32_t>(random() & 0x0F0F00FFU)),
                            static_cast<std::uint8_t>(8 + random() % 25)));
  const prefix_set set(all);
  for (int i = 0; i < 20'000; ++i) {
    const address a = boost::asio::ip::address_v4(static_cast<std::uint32_t>(random() & 0x0F0F00FFU));
    REQUIRE(set.contains(a) == std::any_of(all.begin(), all.end(), [&](const prefix& p) { return contains(p, a); }));
  }
}

}  // namespace
}  // namespace nearside::mapping
