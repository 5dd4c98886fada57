// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/name.hpp"

#include <catch2/catch.hpp>
#include <vector>

using nearside::dns::name;
using nearside::dns::name_hash;

namespace {
name of(std::string_view text) { return name::from_text(text).value(); }
}  // namespace

TEST_CASE("a name reads and shows its escapes", "[dns][name][rfc1035]") {
  CHECK(of(R"(a\.b.c)").labels() == 2);
  CHECK(of(R"(a\.b.c)").text() == R"(a\.b.c.)");
  CHECK(of(R"(\000\255 .x)").text() == R"(\000\255\032.x.)");
  CHECK(of(".").text() == ".");
  CHECK(of("www.example") == of("www.example."));
}

TEST_CASE("a name without a final dot is relative to the origin, @ is the origin", "[dns][name][rfc1035]") {
  const name origin = of("example.");
  CHECK(name::from_text("www", origin).value() == of("www.example."));
  CHECK(name::from_text("www.", origin).value() == of("www."));
  CHECK(name::from_text("@", origin).value() == origin);
}

TEST_CASE("names that break a rule are refused", "[dns][name][rfc1035]") {
  const std::string label63(63, 'a');
  for (const std::string& text : {std::string(), std::string("a..b"), std::string(".a"), std::string("a\\"),
                                  std::string("a\\25"), std::string("a\\256"), label63 + "a"}) {
    INFO(text);
    CHECK_FALSE(name::from_text(text).has_value());
  }
  const std::string longest = label63 + '.' + label63 + '.' + label63 + '.' + std::string(61, 'a');
  CHECK(name::from_text(longest).value().wire().size() == 255);
  CHECK_FALSE(name::from_text(longest + 'a').has_value());
  CHECK_FALSE(name::from_text("x", of(longest)).has_value());
  CHECK_FALSE(of(longest).wildcard().has_value());
}

TEST_CASE("a name on the wire ends with its root label and is never compressed", "[dns][name][rfc1035]") {
  const std::vector<std::uint8_t> good{1, 'a', 0, 99};
  CHECK(name::from_wire(good).value() == of("a."));
  CHECK_FALSE(name::from_wire(std::vector<std::uint8_t>{1, 'a'}).has_value());
  CHECK_FALSE(name::from_wire(std::vector<std::uint8_t>{}).has_value());
  CHECK_FALSE(name::from_wire(std::vector<std::uint8_t>{0xc0, 12}).has_value());
  CHECK_FALSE(name::from_wire(std::vector<std::uint8_t>{0x41, 0}).has_value());
  std::vector<std::uint8_t> long_one;
  for (int i = 0; i < 127; ++i) long_one.insert(long_one.end(), {1, 'a'});
  long_one.push_back(0);
  CHECK(name::from_wire(long_one).value().labels() == 127);
  long_one.insert(long_one.begin(), {1, 'a'});
  CHECK_FALSE(name::from_wire(long_one).has_value());
}

TEST_CASE("comparison and hash ignore the case of letters and of nothing else", "[dns][name][rfc4343]") {
  CHECK(of("WWW.Example.") == of("www.eXAMPLE."));
  CHECK(name_hash()(of("WWW.Example.")) == name_hash()(of("www.example.")));
  CHECK(of("WWW.Example.").text() == "WWW.Example.");
  CHECK(of("WWW.Example.").lower().text() == "www.example.");
  CHECK_FALSE(of("a[.example.") == of("a{.example."));
}

TEST_CASE("the canonical order is by labels from the right", "[dns][name][rfc4034]") {
  const std::vector<std::string> sorted{"example.",           "a.example.",      "yljkjljk.a.example.",
                                        "Z.a.example.",       "zABC.a.EXAMPLE.", "z.example.",
                                        R"(\001.z.example.)", "*.z.example.",    R"(\200.z.example.)"};
  for (std::size_t i = 0; i + 1 < sorted.size(); ++i) {
    INFO(sorted[i]);
    CHECK(of(sorted[i]) < of(sorted[i + 1]));
    CHECK_FALSE(of(sorted[i + 1]) < of(sorted[i]));
  }
}

TEST_CASE("a name is below another only at a label's border", "[dns][name]") {
  CHECK(of("www.example.").is_at_or_below(of("EXAMPLE.")));
  CHECK(of("example.").is_at_or_below(of("example.")));
  CHECK(of("example.").is_at_or_below(name()));
  CHECK_FALSE(of("wwwexample.").is_at_or_below(of("example.")));
  CHECK_FALSE(of(R"(www\.example.)").is_at_or_below(of("example.")));
  CHECK_FALSE(of("example.").is_at_or_below(of("www.example.")));
  CHECK(of("www.example.").parent() == of("example."));
  CHECK(name().parent().is_root());
  CHECK(of("example.").wildcard().value().is_wildcard());
}
