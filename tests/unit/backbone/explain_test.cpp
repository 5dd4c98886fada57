// SPDX-License-Identifier: BSD-2-Clause
// What `nearside explain` is told: the row and why, the edges, the answer.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "fixture.hpp"

namespace nearside::backbone {

namespace {

struct explained : node {
  explained() {
    edge(1, {"198.51.100.1"});
    edge(2, {"198.51.100.1"});
    row("203.0.113.0/24", {2});
    now += 5s;
  }

  boost::json::object explain(const std::string& name, const std::string& resolver, const std::string& client = "") {
    std::optional<mapping::prefix> prefix;
    if (!client.empty()) prefix = pre(client);
    return dir().explain(dns::name::from_text(name).value(), at(resolver), prefix).value();
  }
};

boost::json::value json_name(unsigned number) { return boost::json::value(name_of(number)); }

std::string text(const boost::json::value& v) { return boost::json::serialize(v); }

}  // namespace

TEST_CASE_METHOD(explained, "explain tells the row, all claims in their order, and where they are from",
                 "[backbone][explain]") {
  const auto e = explain("www.lb.example.com", "198.51.100.1");
  CHECK(e.at("mode") == "auto");
  CHECK(e.at("decided_by") == "resolver");
  const auto& row = e.at("row").as_object();
  CHECK(row.at("prefix") == "198.51.100.1/32");
  const auto& claims = row.at("claims").as_array();
  REQUIRE(claims.size() == 2);
  CHECK(claims[0].at("edge") == json_name(1));
  CHECK(claims[0].at("source") == "proved");
  CHECK(claims[0].at("age_s") == 5.0);
  CHECK(claims[1].at("state") == "alive");
}

TEST_CASE_METHOD(explained, "explain tells the edges, whether they live and why not", "[backbone][explain]") {
  kill(1);
  now += 3s;
  const auto e = explain("www.lb.example.com", "198.51.100.1");
  const auto& edges = e.at("edges").as_array();
  REQUIRE(edges.size() == 2);
  CHECK(edges[0].at("state") == "port_dead");
  CHECK(edges[0].at("addresses").at(0).at("reason") == "timeout");
  CHECK(edges[0].at("addresses").at(0).at("age_s") == 3.0);
  CHECK(edges[1].at("addresses").at(0).at("answers") == true);
  CHECK(e.at("answer").at("why") == "no fresh report");
}

TEST_CASE_METHOD(explained, "explain tells a referral with its NS, glue and TTL", "[backbone][explain]") {
  const auto e = explain("www.lb.example.com", "198.51.100.1");
  const auto& answer = e.at("answer").as_object();
  CHECK(answer.at("kind") == "referral");
  CHECK(answer.at("why") == "the nearest edge is alive");
  CHECK(answer.at("from") == "row");
  CHECK(text(answer.at("ns")) == R"(["e1.ns.lb.example.com.","e2.ns.lb.example.com."])");
  CHECK(text(answer.at("glue").at(0)) == R"({"name":"e1.ns.lb.example.com.","addresses":["192.0.2.1"]})");
  CHECK(answer.at("ttl") == 60);
  CHECK(answer.at("scope") == 0);
}

TEST_CASE_METHOD(explained, "explain tells a direct answer with the report's figures and their ages",
                 "[backbone][explain]") {
  report(1, {1, 0});
  now += 4s;
  const auto e = explain("far.lb.example.com", "198.51.100.1");
  const auto& answer = e.at("answer").as_object();
  CHECK(answer.at("kind") == "direct");
  CHECK(answer.at("by") == json_name(1));
  CHECK(text(answer.at("ipv4")) == R"({"servers":["ams1"],"ttl":5})");
  const auto& told = e.at("edges").at(0).at("report").as_object();
  CHECK(told.at("fresh") == true);
  CHECK(told.at("age_s") == 4.0);
  CHECK(text(told.at("rank")) == R"({"ipv4":["ams1","fra1"]})");
  const auto& candidates = told.at("candidates").as_array();
  REQUIRE(candidates.size() == 2);
  CHECK(candidates[0].at("server") == "ams1");
  CHECK(candidates[0].at("rtt_ms") == 2.5);
  CHECK(candidates[0].at("loss") == 0.25);
  CHECK(candidates[0].at("age_s") == 6.0);
}

TEST_CASE_METHOD(explained, "explain tells whether the client's prefix has decided, and the scope",
                 "[backbone][explain]") {
  report(2, {2});
  const auto e = explain("www.lb.example.com", "198.51.100.1", "203.0.113.0/24");
  CHECK(e.at("decided_by") == "client");
  CHECK(e.at("row").at("prefix") == "203.0.113.0/24");
  CHECK(e.at("row").at("claims").at(0).at("source") == "table");
  CHECK(e.at("client").at("used") == true);
  CHECK(e.at("answer").at("why") == "the client's prefix tells more than the resolver's address");
  CHECK(e.at("answer").at("scope") == 24);
  const auto other = explain("ref.lb.example.com", "198.51.100.1", "203.0.113.0/24");
  CHECK(other.at("client").at("used") == false);
  CHECK(other.at("decided_by") == "resolver");
}

TEST_CASE_METHOD(explained, "explain tells that a client has no row", "[backbone][explain]") {
  const auto e = explain("www.lb.example.com", "192.0.2.200");
  CHECK(e.at("decided_by") == "default");
  CHECK(e.at("row").is_null());
  CHECK(e.at("answer").at("from") == "default");
  CHECK(e.at("answer").at("alternatives") == 2);
}

TEST_CASE_METHOD(explained, "explain speaks of names below a mapped one, and of no others", "[backbone][explain]") {
  CHECK(explain("a.www.lb.example.com", "198.51.100.1").at("name") == "www.lb.example.com.");
  const auto none = dir().explain(dns::name::from_text("alias.lb.example.com").value(), at("198.51.100.1"), {});
  CHECK(none.error().kind == errc::not_found);
}

TEST_CASE_METHOD(explained, "explain tells what is answered when nobody is left", "[backbone][explain]") {
  kill(1);
  kill(2);
  const auto e = explain("www.lb.example.com", "198.51.100.1");
  CHECK(e.at("answer").at("kind") == "pool");
  CHECK(e.at("answer").at("why") == "no edge is alive");
}

}  // namespace nearside::backbone
