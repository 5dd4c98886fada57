// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/record.hpp"

#include <catch2/catch.hpp>

#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {
namespace {

edge_record usual() {
  edge_record r;
  r.edge = "e17.ns.lb.example.com.";
  r.sequence = 17;
  r.accepted_by = "b1";
  r.registered = when(0);
  r.expires = when(300);
  r.addresses = {at("192.0.2.17"), at("2001:db8::17")};
  r.egresses = {{pre("198.51.100.53/32"), 1200us, when(-5)}, {pre("2001:db8:1::/64"), std::nullopt, when(0) + 7us}};
  return r;
}

const std::string usual_text =
    R"({"edge":"e17.ns.lb.example.com.","sequence":17,"accepted_by":"b1","registered":1800000000000000,)"
    R"("expires":1800000300000000,"withdrawn":false,"addresses":["192.0.2.17","2001:db8::17"],)"
    R"("egresses":[{"who":"198.51.100.53/32","rtt_us":1200,"proved":1799999995000000},)"
    R"({"who":"2001:db8:1::/64","proved":1800000000000007}]})";

std::string with(const std::string& part, const std::string& other) {
  std::string text = usual_text;
  const auto found = text.find(part);
  REQUIRE(found != std::string::npos);
  return text.replace(found, part.size(), other);
}

TEST_CASE("a record is read as it is written", "[mapping][record]") {
  CHECK(to_json(usual()) == usual_text);
  const auto read = parse_record(usual_text);
  REQUIRE(read.has_value());
  CHECK(*read == usual());
  CHECK(parse_record(with("{\"edge\"", R"({"later":{},"edge")")).value() == usual());
}

TEST_CASE("a withdrawn record has neither addresses nor egresses", "[mapping][record]") {
  edge_record r = usual();
  r.withdrawn = true;
  r.addresses.clear();
  CHECK(parse_record(to_json(r)).error().message == "egresses: expected none where withdrawn");
  r.egresses.clear();
  CHECK(parse_record(to_json(r)).value() == r);
}

TEST_CASE("egresses are read into the order of their prefixes", "[mapping][record]") {
  edge_record r = usual();
  std::swap(r.egresses[0], r.egresses[1]);
  CHECK(parse_record(to_json(r)).value() == usual());
}

TEST_CASE("the greatest record is read", "[mapping][record]") {
  edge_record r = usual();
  r.edge =
      std::string(63, 'e') + "." + std::string(63, 'f') + "." + std::string(63, 'g') + "." + std::string(61, 'h') + ".";
  r.egresses.clear();
  for (unsigned i = 0; i < most_egresses; ++i)
    r.egresses.push_back({key_of(at("2001:db8:1234:" + std::to_string(1000 + i) + "::")), most_rtt, when(0)});
  CHECK(parse_record(to_json(r)).value() == r);
}

TEST_CASE("an error of a record names the member", "[mapping][record]") {
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"e17.ns", "e17..ns", "edge: expected a domain name"},
      {R"("sequence":17)", R"("sequence":0)", "sequence: expected an integer from 1 to 9007199254740991"},
      {R"("sequence":17)", R"("sequence":17.0)", "sequence: expected an integer from 1 to 9007199254740991"},
      {R"("accepted_by":"b1")", R"("accepted_by":"")",
       "accepted_by: expected a string of 1 to 255 octets without control characters"},
      {"1800000000000000", "-1", "registered: expected an integer from 0 to 9007199254740991"},
      {"1800000300000000", "\"soon\"", "expires: expected an integer from 0 to 9007199254740991"},
      {"false", "0", "withdrawn: expected true or false"},
      {R"(["192.0.2.17","2001:db8::17"])", "[]", "addresses: expected an array of 1 or more"},
      {"2001:db8::17", "192.0.2.17", "addresses[1]: expected each address once"},
      {"192.0.2.17", "0.0.0.0", "addresses[0]: expected the address of one host"},
      {"198.51.100.53/32", "198.51.100.0/24",
       "egresses[0].who: expected an IPv4 address with /32 or an IPv6 prefix with /64"},
      {"198.51.100.53/32", "0.0.0.0/0",
       "egresses[0].who: expected an IPv4 address with /32 or an IPv6 prefix with /64"},
      {"2001:db8:1::/64", "2001:db8::/32",
       "egresses[1].who: expected an IPv4 address with /32 or an IPv6 prefix with /64"},
      {"2001:db8:1::/64", "2001:db8:1::1/128",
       "egresses[1].who: expected an IPv4 address with /32 or an IPv6 prefix with /64"},
      {"2001:db8:1::/64", "198.51.100.53/32", "egresses: expected each prefix once"},
      {"1200", "60000001", "egresses[0].rtt_us: expected an integer from 0 to 60000000"},
      {R"(,"proved":1799999995000000)", "", "egresses[0].proved: expected an integer from 0 to 9007199254740991"}};
  for (const auto& [part, other, said] : cases) {
    CAPTURE(part, other);
    const auto read = parse_record(with(part, other));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message == said);
  }
  CHECK(parse_record(usual_text + std::string(most_record, ' ')).error().kind == errc::exhausted);
}

}  // namespace
}  // namespace nearside::mapping
