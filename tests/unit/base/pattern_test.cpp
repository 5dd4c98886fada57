// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/pattern.hpp"

#include <catch2/catch.hpp>
#include <chrono>

using nearside::errc;
using nearside::pattern;

TEST_CASE("a pattern is found anywhere in the text", "[base][pattern]") {
  const auto status = pattern::compile(R"(status:\s*(ok|fine))");
  REQUIRE(status.has_value());
  CHECK(status->found_in("header\nstatus:  fine\n"));
  CHECK_FALSE(status->found_in("status: bad"));
}

TEST_CASE("what does not compile is refused with a reason", "[base][pattern]") {
  for (const char* wrong : {"(", "[a", "*", R"((a)\1)", "(?=a)", "((a{1000}){1000}){1000}", "[ab]*a[ab]{500}c"}) {
    INFO(wrong);
    const auto compiled = pattern::compile(wrong);
    REQUIRE_FALSE(compiled.has_value());
    CHECK(compiled.error().kind == errc::invalid);
    CHECK_FALSE(compiled.error().message.empty());
  }
}

TEST_CASE("octets that are no text are matched as they are", "[base][pattern]") {
  const auto compiled = pattern::compile("a.b");
  REQUIRE(compiled.has_value());
  CHECK(
      compiled->found_in(std::string_view("\xff\0a\xfe"
                                          "b",
                                          5)));
}

TEST_CASE("an expression that makes back-tracking explode takes linear time over a mebioctet", "[base][pattern]") {
  const auto compiled = pattern::compile("(a+)+(a+)+(a|aa)*$b");
  REQUIRE(compiled.has_value());
  const std::string text(1 << 20, 'a');
  const auto before = std::chrono::steady_clock::now();
  CHECK_FALSE(compiled->found_in(text));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
}
