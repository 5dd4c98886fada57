// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/deflate.hpp"

#include <catch2/catch.hpp>
#include <random>

namespace nearside::mapping {
namespace {

std::string noise(std::size_t size) {
  std::mt19937 random(11);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST_CASE("what was deflated comes back", "[mapping][deflate]") {
  for (const std::string& text : {std::string(), std::string("a"), std::string(4096, 'a'), std::string(4097, 'a'),
                                  std::string(200'000, 'a'), noise(50'000)}) {
    const auto small = deflate(text);
    REQUIRE(small.has_value());
    CHECK(inflate(*small, text.size()).value() == text);
    CHECK(inflate(*small, 1'000'000).value() == text);
  }
}

TEST_CASE("no more comes out than is allowed", "[mapping][deflate]") {
  const std::string bomb = deflate(std::string(10'000'000, '\0')).value();
  CHECK(bomb.size() < 20'000);
  const auto refused = inflate(bomb, 1U << 20U);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == error{errc::exhausted, "inflate: more than 1048576 octets"});
  CHECK_FALSE(inflate(deflate("ab").value(), 1).has_value());
  CHECK_FALSE(inflate(deflate("a").value(), 0).has_value());
}

TEST_CASE("what is cut off, changed, of another format or followed by something is refused", "[mapping][deflate]") {
  const std::string good = deflate(noise(5000)).value();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, good.size() / 2, good.size() - 1}) {
    CAPTURE(size);
    CHECK(inflate(good.substr(0, size), 100'000).error().kind == errc::invalid);
  }
  std::string changed = good;
  changed[2500] = static_cast<char>(changed[2500] ^ 1);
  CHECK(inflate(changed, 100'000).error().kind == errc::invalid);
  CHECK(inflate(good + "x", 100'000).error().message == "inflate: octets behind the end");
  CHECK(inflate(good + good, 100'000).error().message == "inflate: octets behind the end");
  CHECK_FALSE(inflate("{\"edge\":\"e1\"}", 100'000).has_value());
  // Without zlib's header, as some clients have sent it.
  CHECK_FALSE(inflate(good.substr(2, good.size() - 6), 100'000).has_value());
}

}  // namespace
}  // namespace nearside::mapping
