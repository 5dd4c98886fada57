// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/prefix.hpp"

#include <catch2/catch.hpp>
#include <unordered_set>

#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {
namespace {

TEST_CASE("a prefix has no bits beyond its length", "[mapping][prefix]") {
  CHECK(text_of(prefix_of(at("192.0.2.77"), 24)) == "192.0.2.0/24");
  CHECK(text_of(prefix_of(at("192.0.2.77"), 31)) == "192.0.2.76/31");
  CHECK(text_of(prefix_of(at("192.0.2.77"), 0)) == "0.0.0.0/0");
  CHECK(text_of(prefix_of(at("192.0.2.77"), 200)) == "192.0.2.77/32");
  CHECK(text_of(prefix_of(at("2001:db8:ffff::1"), 33)) == "2001:db8:8000::/33");
  CHECK(text_of(prefix_of(at("2001:db8::1"), 128)) == "2001:db8::1/128");
  CHECK(text_of(prefix_of(at("2001:db8::1"), 0)) == "::/0");
}

TEST_CASE("IPv4 inside IPv6 is IPv4, and a zone index is no part of a prefix", "[mapping][prefix]") {
  CHECK(prefix_of(at("::ffff:192.0.2.77"), 120) == pre("192.0.2.0/24"));
  CHECK(text_of(prefix_of(at("::ffff:192.0.2.77"), 80)) == "::/80");
  CHECK(key_of(at("::ffff:192.0.2.77")) == pre("192.0.2.77/32"));
  CHECK(contains(pre("192.0.2.0/24"), at("::ffff:192.0.2.77")));
  CHECK(prefix_of(at("fe80::1%1"), 64) == pre("fe80::/64"));
}

TEST_CASE("the key of an egress is the IPv4 address or the /64", "[mapping][prefix]") {
  CHECK(key_of(at("192.0.2.77")) == pre("192.0.2.77"));
  CHECK(key_of(at("2001:db8:0:7:1:2:3:4")) == pre("2001:db8:0:7::/64"));
}

TEST_CASE("a prefix contains what begins with it, in its own family", "[mapping][prefix]") {
  CHECK(contains(pre("192.0.2.0/25"), at("192.0.2.127")));
  CHECK_FALSE(contains(pre("192.0.2.0/25"), at("192.0.2.128")));
  CHECK(contains(pre("0.0.0.0/0"), at("203.0.113.1")));
  CHECK_FALSE(contains(pre("0.0.0.0/0"), at("2001:db8::1")));
  CHECK(contains(pre("2001:db8::/32"), at("2001:db8:ffff::1")));
  CHECK(contains(pre("192.0.2.0/24"), pre("192.0.2.64/26")));
  CHECK(contains(pre("192.0.2.0/24"), pre("192.0.2.0/24")));
  CHECK_FALSE(contains(pre("192.0.2.64/26"), pre("192.0.2.0/24")));
}

TEST_CASE("a prefix is read as it is written", "[mapping][prefix]") {
  for (const char* text : {"192.0.2.0/24", "192.0.2.77/32", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/128", "::/0"}) {
    const auto read = parse_prefix(text);
    REQUIRE(read.has_value());
    CHECK(text_of(*read) == text);
  }
  CHECK(text_of(pre("192.0.2.77")) == "192.0.2.77/32");
  CHECK(text_of(pre("2001:db8::")) == "2001:db8::/128");
  CHECK(text_of(pre("::ffff:192.0.2.0/120")) == "192.0.2.0/24");
}

TEST_CASE("what is no prefix is an error", "[mapping][prefix]") {
  for (const std::string& text :
       {std::string(), std::string("/"), std::string("192.0.2.0/"), std::string("192.0.2.0/33"),
        std::string("192.0.2.1/24"), std::string("2001:db8::/129"), std::string("2001:db8::1/64"),
        std::string("192.0.2.0/-1"), std::string("192.0.2.0/+8"), std::string("192.0.2.0/24 "),
        std::string("192.0.2/24"), std::string("fe80::1%1/64"), std::string("www.example.com"),
        std::string("192.0.2.0\0/24", 13), std::string(100, '1'), std::string("192.0.2.0/99999999999999999999")}) {
    CAPTURE(text);
    const auto read = parse_prefix(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind == errc::invalid);
    CHECK_FALSE(read.error().message.empty());
  }
}

TEST_CASE("prefixes are in the order of family, address and length", "[mapping][prefix]") {
  CHECK(pre("192.0.2.0/24") < pre("192.0.2.0/25"));
  CHECK(pre("192.0.2.0/25") < pre("192.0.3.0/24"));
  CHECK(pre("203.0.113.0/24") < pre("::/0"));
  CHECK((pre("192.0.2.0/24") <=> pre("192.0.2.0/24")) == std::strong_ordering::equal);
}

TEST_CASE("prefixes of equal bits and other lengths or families have other hashes", "[mapping][prefix]") {
  std::unordered_set<std::size_t> hashes;
  for (std::uint8_t length = 0; length <= 32; ++length) hashes.insert(prefix_hash{}(prefix_of(at("0.0.0.0"), length)));
  for (std::uint8_t length = 0; length <= 128; ++length) hashes.insert(prefix_hash{}(prefix_of(at("::"), length)));
  CHECK(hashes.size() == 33 + 129);
}

}  // namespace
}  // namespace nearside::mapping
