// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/messages.hpp"

#include <catch2/catch.hpp>

#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {
namespace {

registration usual() {
  registration message;
  message.edge = "e17.ns.lb.example.com.";
  message.sequence = 1'800'000'000'000'000;
  message.lifetime = 300s;
  message.addresses = {at("192.0.2.17"), at("2001:db8::17")};
  message.egresses = {{at("198.51.100.53"), std::string(26, '0'), 1200us}, {at("2001:db8:1::53"), "", std::nullopt}};
  return message;
}

const std::string usual_text =
    R"({"edge":"e17.ns.lb.example.com.","sequence":1800000000000000,"lifetime":300,)"
    R"("addresses":["192.0.2.17","2001:db8::17"],)"
    R"("egresses":[{"address":"198.51.100.53","nonce":"00000000000000000000000000","rtt_us":1200},)"
    R"({"address":"2001:db8:1::53"}]})";

/// `usual_text` with one part in place of another.
std::string with(const std::string& part, const std::string& other, std::string text = usual_text) {
  const auto found = text.find(part);
  REQUIRE(found != std::string::npos);
  return text.replace(found, part.size(), other);
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += (i == 0 ? "" : ",") + text;
  return all;
}

TEST_CASE("a registration is read as it is written", "[mapping][messages]") {
  CHECK(to_json(usual(), true) == usual_text);
  const auto read = parse_registration(usual_text, true);
  REQUIRE(read.has_value());
  CHECK(*read == usual());
}

TEST_CASE("a renewal has no addresses and no egresses", "[mapping][messages]") {
  const std::string text = to_json(usual(), false);
  CHECK(text == R"({"edge":"e17.ns.lb.example.com.","sequence":1800000000000000,"lifetime":300})");
  const auto read = parse_registration(text, false);
  REQUIRE(read.has_value());
  CHECK(read->addresses.empty());
  CHECK_FALSE(parse_registration(text, true).has_value());
}

TEST_CASE("an edge's name is read in any case and without its final dot", "[mapping][messages]") {
  const auto read = parse_registration(with("e17.ns.lb.example.com.", "E17.ns.LB.example.com"), true);
  REQUIRE(read.has_value());
  CHECK(read->edge == "e17.ns.lb.example.com.");
}

TEST_CASE("members that are not known are ignored", "[mapping][messages]") {
  const auto read = parse_registration(
      with("{\"edge\"", R"({"later":{"x":[1.5]},"edge")", with(R"({"address":"198)", R"({"weight":2,"address":"198)")),
      true);
  REQUIRE(read.has_value());
  CHECK(*read == usual());
}

TEST_CASE("an error of a registration names the member", "[mapping][messages]") {
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {R"("edge":)", R"("edges":)", "edge: expected a domain name"},
      {R"("e17.ns.lb.example.com.")", "17", "edge: expected a domain name"},
      {R"("e17.ns.lb.example.com.")", R"(".")", "edge: expected a domain name"},
      {"e17.ns", "e17..ns", "edge: expected a domain name"},
      {"e17.ns", std::string(64, 'e'), "edge: expected a domain name"},
      {"1800000000000000", "0", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", "-1", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", "9007199254740992", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", "1.5", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", "1.0", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", "1e3", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", R"("1")", "sequence: expected an integer from 1 to 9007199254740991"},
      {"1800000000000000", "null", "sequence: expected an integer from 1 to 9007199254740991"},
      {R"("lifetime":300)", R"("lifetime":9)", "lifetime: expected an integer from 10 to 3600"},
      {R"("lifetime":300)", R"("lifetime":3601)", "lifetime: expected an integer from 10 to 3600"},
      {R"("lifetime":300)", R"("lifetime":300.5)", "lifetime: expected an integer from 10 to 3600"},
      {R"(["192.0.2.17","2001:db8::17"])", "[]", "addresses: expected an array of 1 or more"},
      {R"(["192.0.2.17","2001:db8::17"])", R"("192.0.2.17")", "addresses: expected an array of 1 or more"},
      {"192.0.2.17", "192.0.2.0/24", "addresses[0]: expected the address of one host"},
      {"192.0.2.17", "0.0.0.0", "addresses[0]: expected the address of one host"},
      {"192.0.2.17", "224.0.0.1", "addresses[0]: expected the address of one host"},
      {"192.0.2.17", "255.255.255.255", "addresses[0]: expected the address of one host"},
      {"192.0.2.17", "::ffff:192.0.2.17", "addresses[0]: expected the address of one host"},
      {"192.0.2.17", "fe80::1%1", "addresses[0]: expected the address of one host"},
      {"192.0.2.17", R"(192.0.2.17\u0000)", "addresses[0]: expected the address of one host"},
      {"2001:db8::17", "192.0.2.17", "addresses[1]: expected each address once"},
      {R"({"address":"2001:db8:1::53"})", "7", "egresses[1]: expected an object"},
      {"2001:db8:1::53", "ff02::1", "egresses[1].address: expected the address of one host"},
      {std::string(26, '0'), std::string(64, '0'),
       "egresses[0].nonce: expected a string of 0 to 63 octets without control "
       "characters"},
      {"1200", "-1", "egresses[0].rtt_us: expected an integer from 0 to 60000000"},
      {"1200", "60000001", "egresses[0].rtt_us: expected an integer from 0 to 60000000"},
      {"1200", "12.5", "egresses[0].rtt_us: expected an integer from 0 to 60000000"},
      {R"("egresses":)", R"("egress":)", "egresses: expected an array"}};
  for (const auto& [part, other, said] : cases) {
    CAPTURE(part, other);
    const auto read = parse_registration(with(part, other), true);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message == said);
    CHECK(refusal_of(read.error()) == refusal::malformed);
  }
  for (const std::string& text : {std::string(), std::string("[]"), std::string("17"), std::string("{"),
                                  usual_text + "{}", std::string(5000, '['), std::string("{\"edge\":\"\xff\"}")}) {
    CAPTURE(text);
    const auto read = parse_registration(text, true);
    REQUIRE_FALSE(read.has_value());
    CHECK(refusal_of(read.error()) == refusal::malformed);
  }
}

TEST_CASE("a registration beyond its bounds is too large", "[mapping][messages]") {
  const std::string eight =
      R"("192.0.2.1","192.0.2.2","192.0.2.3","192.0.2.4","192.0.2.5","192.0.2.6","192.0.2.7","192.0.2.8")";
  CHECK(parse_registration(with(R"("192.0.2.17","2001:db8::17")", eight), true).has_value());
  const auto nine = parse_registration(with(R"("192.0.2.17","2001:db8::17")", eight + R"(,"192.0.2.9")"), true);
  REQUIRE_FALSE(nine.has_value());
  CHECK(nine.error() == error{errc::exhausted, "addresses: at most 8 are taken"});
  CHECK(refusal_of(nine.error()) == refusal::too_large);

  const std::string one = R"({"address":"2001:db8:1::53"})";
  CHECK(parse_registration(with(one, repeated(one, 255)), true).value().egresses.size() == 256);
  const auto more = parse_registration(with(one, repeated(one, 256)), true);
  REQUIRE_FALSE(more.has_value());
  CHECK(more.error() == error{errc::exhausted, "egresses: at most 256 are taken"});

  CHECK(parse_registration(usual_text + std::string(most_body - usual_text.size(), ' '), true).has_value());
  const auto body = parse_registration(usual_text + std::string(most_body + 1 - usual_text.size(), ' '), true);
  REQUIRE_FALSE(body.has_value());
  CHECK(refusal_of(body.error()) == refusal::too_large);
}

TEST_CASE("the greatest registration fits in a body", "[mapping][messages]") {
  registration greatest = usual();
  greatest.egresses.clear();
  for (unsigned i = 0; i < most_egresses; ++i)
    greatest.egresses.push_back(
        {at("2001:db8:1234:5678:9abc:def0:1234:" + std::to_string(1000 + i)), std::string(26, 'v'), most_rtt});
  const std::string text = to_json(greatest, true);
  CHECK(text.size() < most_body);
  const auto read = parse_registration(text, true);
  REQUIRE(read.has_value());
  CHECK(*read == greatest);
}

TEST_CASE("a withdrawal is read as it is written", "[mapping][messages]") {
  const withdrawal message{"e17.ns.lb.example.com.", 17};
  CHECK(to_json(message) == R"({"edge":"e17.ns.lb.example.com.","sequence":17})");
  CHECK(parse_withdrawal(to_json(message)).value() == message);
  CHECK(parse_withdrawal(R"({"sequence":17})").error().message == "edge: expected a domain name");
}

registered usual_answer() {
  registered answer;
  answer.lifetime = 300s;
  answer.nonce_zone = "b1.who.lb.example.com.";
  for (std::size_t i = 0; i < answer.nonce_key.size(); ++i) answer.nonce_key[i] = static_cast<std::uint8_t>(255 - i);
  answer.nonce_edge = 4'294'967'295;
  answer.egresses = {{at("198.51.100.53"), true, ""}, {at("2001:db8:1::53"), false, "not_seen"}};
  answer.ttl = 60;
  answer.default_servers = {"e1.ns.lb.example.com.", "e2.ns.lb.example.com."};
  answer.servers = {{pre("198.51.100.53/32"), {"e17.ns.lb.example.com.", "d1.ns.lb.example.com."}}};
  return answer;
}

TEST_CASE("the answer to a registration is read as it is written", "[mapping][messages]") {
  const std::string text = to_json(usual_answer());
  CHECK(
      text ==
      R"({"lifetime":300,"nonce_zone":"b1.who.lb.example.com.","nonce_key":"__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA",)"
      R"("nonce_edge":4294967295,"egresses":[{"address":"198.51.100.53","state":"accepted"},)"
      R"({"address":"2001:db8:1::53","state":"refused","reason":"not_seen"}],"ttl":60,)"
      R"("servers":{"default":["e1.ns.lb.example.com.","e2.ns.lb.example.com."],)"
      R"("by_client":[{"prefix":"198.51.100.53/32","ns":["e17.ns.lb.example.com.","d1.ns.lb.example.com."]}]}})");
  const auto read = parse_registered(text);
  REQUIRE(read.has_value());
  CHECK(*read == usual_answer());
}

TEST_CASE("an error of an answer names the member", "[mapping][messages]") {
  const std::string text = to_json(usual_answer());
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {R"("lifetime":300)", R"("lifetime":0)", "lifetime: expected an integer from 1 to 3600"},
      {"b1.who.lb.example.com.", "", "nonce_zone: expected a domain name"},
      {"__79_", "__79", "nonce_key: expected 32 octets in base64url without padding"},
      {"__79_", "++79_", "nonce_key: expected 32 octets in base64url without padding"},
      {"4294967295", "4294967296", "nonce_edge: expected an integer from 0 to 4294967295"},
      {"accepted", "perhaps", "egresses[0].state: expected \"accepted\" or \"refused\""},
      {R"("not_seen")", "1", "egresses[1].reason: expected a string of 0 to 64 octets without control characters"},
      {R"("ttl":60)", R"("ttl":172801)", "ttl: expected an integer from 0 to 172800"},
      {R"("servers":{)", R"("server":{)", "servers: expected an object"},
      {R"("e2.ns.lb.example.com.")", "2", "servers.default[1]: expected a domain name"},
      {"198.51.100.53/32", "198.51.100.53/33", "servers.by_client[0].prefix: expected an address prefix"},
      {R"("d1.ns.lb.example.com.")", "{}", "servers.by_client[0].ns[1]: expected a domain name"},
      {R"("e2.ns.lb.example.com.")", repeated(R"("e2.ns.lb.example.com.")", 16),
       "servers.default: at most 16 are taken"}};
  for (const auto& [part, other, said] : cases) {
    CAPTURE(part, other);
    const auto read = parse_registered(with(part, other, text));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message == said);
  }
}

TEST_CASE("a refusal has its word, its status and, where it is stale, the newest sequence", "[mapping][messages]") {
  const std::pair<std::string_view, unsigned> known[] = {{"malformed", 400},    {"not_allowed", 403},
                                                         {"unknown_edge", 404}, {"stale_sequence", 409},
                                                         {"too_large", 413},    {"too_many", 429}};
  for (std::size_t i = 0; i < refusal_count; ++i) {
    const auto why = static_cast<refusal>(i);
    CHECK(text_of(why) == known[i].first);
    CHECK(http_status_of(why) == known[i].second);
    const refused answer{why, "because", std::nullopt};
    CHECK(parse_refused(to_json(answer)).value() == answer);
  }
  const refused stale{refusal::stale_sequence, "17 is not newer than 18", 18};
  CHECK(to_json(stale) == R"({"error":"stale_sequence","detail":"17 is not newer than 18","newest":18})");
  CHECK(parse_refused(to_json(stale)).value() == stale);
  CHECK(parse_refused(R"({"error":"later_word"})").error().message == "error: expected a word of the protocol");
}

}  // namespace
}  // namespace nearside::mapping
