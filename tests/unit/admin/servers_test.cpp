// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/servers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "unit/score/fixture.hpp"

namespace nearside::admin {
namespace {

namespace json = boost::json;
using score::at;

json::object object_of(const std::string& text) { return json::parse(text).as_object(); }

TEST_CASE("an order has who, why and how long", "[admin][servers]") {
  const auto wanted = parse_administer(
      object_of(R"({"pattern":"fra*","state":"drain","owner":"ops","reason":"disk","seconds":60})"), at(10));
  REQUIRE(wanted.has_value());
  CHECK(wanted->pattern == "fra*");
  CHECK(wanted->said.state == score::administrative::drain);
  CHECK(*wanted->said.until == at(70));
  const auto released = parse_administer(object_of(R"({"pattern":"*","state":"none"})"), at(10));
  REQUIRE(released.has_value());
  CHECK_FALSE(released->said.until);
}

TEST_CASE("an order that makes no sense names what was expected", "[admin][servers]") {
  for (const auto& [request, word] : std::vector<std::pair<std::string, std::string>>{
           {R"({"state":"down","owner":"o","reason":"r"})", "pattern"},
           {R"({"pattern":"a","state":"off","owner":"o","reason":"r"})", "state"},
           {R"({"pattern":"a","state":"down","reason":"r"})", "owner"},
           {R"({"pattern":"a","state":"down","owner":"o","reason":""})", "reason"},
           {R"({"pattern":"a","state":"down","owner":"o","reason":"r","seconds":-1})", "seconds"},
           {R"({"pattern":"a","state":"down","owner":"o","reason":"r","seconds":"soon"})", "seconds"}}) {
    const auto wanted = parse_administer(object_of(request), at(0));
    REQUIRE_FALSE(wanted.has_value());
    CHECK(wanted.error().message.find('"' + word + '"') != std::string::npos);
  }
}

TEST_CASE("servers are told with their figures, by family, once each", "[admin][servers]") {
  score::fixture given(2, score::policy::failover);
  given.with_ipv6();
  config::measuring configured;
  configured.probes.resize(4);
  score::scoreboard board(given.targets, {given.usual, given.usual}, given.latency, at(0));
  board.add(0, score::ok(1, 20));
  board.add(1, score::bad(1));
  const auto told = servers_json(board, configured, {}, at(3));
  REQUIRE(told.has_value());
  const auto& servers = told->at("servers").as_array();
  REQUIRE(servers.size() == 4);
  const auto& a = servers[0].as_object();
  CHECK(a.at("server") == "a");
  CHECK(a.at("family") == "ipv4");
  CHECK(a.at("state") == "up");
  CHECK(a.at("answered").as_bool());
  const auto& check = a.at("checks").as_array().at(0).as_object();
  CHECK(check.at("srtt_ms").to_number<double>() == 20);
  CHECK(check.at("age_s").to_number<double>() == 2);
  const auto& b = servers[2].as_object();
  CHECK(b.at("state") == "unknown");
  CHECK(b.at("checks").as_array().at(0).as_object().at("reason") == "timeout: connect");
  CHECK(b.at("checks").as_array().at(0).as_object().at("failing").as_bool());
}

TEST_CASE("a pattern narrows the servers that are told", "[admin][servers]") {
  const score::fixture given(3);
  config::measuring configured;
  configured.probes.resize(3);
  const score::scoreboard board = given.board();
  const auto count = [&](const std::string& request) {
    return servers_json(board, configured, object_of(request), at(0))->at("servers").as_array().size();
  };
  CHECK(count(R"({"pattern":"[ab]"})") == 2);
  CHECK(count("{}") == 3);
  CHECK_FALSE(servers_json(board, configured, object_of(R"({"pattern":1})"), at(0)).has_value());
}

TEST_CASE("draining tells when the last answer has run out, or that there are some still", "[admin][servers]") {
  const score::fixture given(2, score::policy::failover);
  score::scoreboard board = given.board();
  board.add(0, score::ok(0, 20));
  board.add(1, score::ok(0, 20));
  std::vector<std::string> servers;
  board.administer("a", {score::administrative::drain, "ops", "disk", at(10), std::nullopt}, at(10), servers);
  const auto told = administered_json(board, servers, at(12));
  CHECK(told.at("answers_end_s").to_number<double>() == 18);
  CHECK(administered_json(board, {"b"}, at(12)).at("answers_end_s").is_null());
}

TEST_CASE("a server is told with its figures, its falls, its certificate and what an operator said",
          "[admin][servers]") {
  score::fixture given(2, score::policy::failover);
  config::measuring configured;
  configured.probes.resize(2);
  score::scoreboard board = given.board();
  score::sample first = score::ok(0, 30);
  first.connect = score::ms(10);
  first.certificate_days = 12;
  board.add(0, first);
  first.at = at(1);
  first.connect = score::ms(18);
  first.certificate_days.reset();
  board.add(0, first);
  board.add(1, score::ok(1, 20));
  for (const double now : {2.0, 3.0}) board.add(0, score::bad(now));
  std::vector<std::string> servers;
  board.administer("a", {score::administrative::drain, "ops", "disk", at(3), at(63)}, at(3), servers);
  const auto told = servers_json(board, configured, object_of(R"({"pattern":"a"})"), at(4));
  const auto& a = told->at("servers").as_array().at(0).as_object();
  CHECK(a.at("state") == "down");
  CHECK_FALSE(a.at("answered").as_bool());
  CHECK(a.at("answers_end_s").to_number<double>() > 0);
  const auto& order = a.at("administrative").as_object();
  CHECK(order.at("state") == "drain");
  CHECK(order.at("owner") == "ops");
  CHECK(order.at("reason") == "disk");
  CHECK(order.at("since_s").to_number<double>() == 1);
  CHECK(order.at("ends_in_s").to_number<double>() == 59);
  const auto& check = a.at("checks").as_array().at(0).as_object();
  CHECK(check.at("state") == "down");
  CHECK(check.at("since_s").to_number<double>() == 1);
  CHECK(check.at("missing_successes").to_number<int>() == 4);
  CHECK(check.at("falls").to_number<int>() == 1);
  CHECK(check.at("srtt_ms").to_number<double>() == 11);
  CHECK(check.at("rttvar_ms").to_number<double>() == 5.75);
  CHECK(check.at("min_ms").to_number<double>() == 10);
  CHECK(check.at("first_byte_ms").to_number<double>() == 30);
  CHECK(check.at("loss").to_number<double>() == 0.5);
  CHECK(check.at("certificate_days").to_number<int>() == 12);
  CHECK_FALSE(check.at("in_use").as_bool());
  const auto other = servers_json(board, configured, object_of(R"({"pattern":"b"})"), at(4));
  CHECK(other->at("servers")
            .as_array()
            .at(0)
            .as_object()
            .at("checks")
            .as_array()
            .at(0)
            .as_object()
            .at("in_use")
            .as_bool());
}

TEST_CASE("a server without checks is told so", "[admin][servers]") {
  score::fixture given(1, score::policy::all);
  given.usual.families[0].addresses[0].targets.clear();
  const auto told = servers_json(given.board(), {}, {}, at(0));
  CHECK(told->at("servers").as_array().at(0).as_object().at("state") == "not checked");
}

TEST_CASE("an order is no longer than ten years and its texts than 255 octets", "[admin][servers]") {
  const auto accepted = [](const std::string& reason, const std::string& seconds) {
    return parse_administer(object_of(R"({"pattern":"a","state":"down","owner":"o","reason":")" + reason +
                                      R"(","seconds":)" + seconds + "}"),
                            at(0))
        .has_value();
  };
  CHECK(accepted(std::string(255, 'x'), "315576000"));
  CHECK_FALSE(accepted(std::string(256, 'x'), "1"));
  CHECK_FALSE(accepted("r", "315576001"));
  CHECK(accepted("r", "null"));
}

}  // namespace
}  // namespace nearside::admin
