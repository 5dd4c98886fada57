// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/encoding.hpp"

#include <catch2/catch.hpp>
#include <random>

namespace nearside::mapping {
namespace {

std::vector<std::uint8_t> octets(std::string_view text) { return {text.begin(), text.end()}; }

TEST_CASE("the vectors of RFC 4648 10, in lower case and without padding", "[mapping][encoding]") {
  const std::pair<const char*, const char*> hex[] = {{"", ""},
                                                     {"f", "co"},
                                                     {"fo", "cpng"},
                                                     {"foo", "cpnmu"},
                                                     {"foob", "cpnmuog"},
                                                     {"fooba", "cpnmuoj1"},
                                                     {"foobar", "cpnmuoj1e8"}};
  for (const auto& [plain, text] : hex) {
    CHECK(base32hex(octets(plain)) == text);
    CHECK(parse_base32hex(text) == octets(plain));
  }
  const std::pair<const char*, const char*> url[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xff\xfe", "___-"}};
  for (const auto& [plain, text] : url) {
    CHECK(base64url(octets(plain)) == text);
    CHECK(parse_base64url(text) == octets(plain));
  }
}

TEST_CASE("base32hex is read in either case, base64url is not", "[mapping][encoding]") {
  CHECK(parse_base32hex("CPnMuOJ1e8") == octets("foobar"));
  CHECK(parse_base64url("ZG") != parse_base64url("Zg"));
}

TEST_CASE("one text alone stands for octets", "[mapping][encoding]") {
  for (const char* text : {"c", "cp1", "cpnmuo", "cp", "cpnh", "w0", "c o", "co======", "c\xc3\xb6"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_base32hex(text));
  }
  for (const char* text : {"Z", "Zh", "Zm9", "Zg==", "Z+", "Z/", "Zm9vY"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_base64url(text));
  }
}

TEST_CASE("any octets come back", "[mapping][encoding]") {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 70; ++size) {
    std::vector<std::uint8_t> some(size);
    for (auto& octet : some) octet = static_cast<std::uint8_t>(random());
    CHECK(parse_base32hex(base32hex(some)) == some);
    CHECK(parse_base64url(base64url(some)) == some);
  }
}

}  // namespace
}  // namespace nearside::mapping
