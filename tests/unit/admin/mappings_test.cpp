// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/mappings.hpp"

#include <boost/json/array.hpp>

#include "unit/mapping/registry_fixture.hpp"

namespace nearside::admin {
namespace {

namespace json = boost::json;
using mapping::name_of;
using mapping::pre;
using mapping::when;
using strings = std::vector<std::string>;

/// e1 stands beside two resolvers, e2 beside one of them and one of its own; the operator's table has a row as well.
struct node : mapping::backbone {
  node() {
    usual(1, {"198.51.100.53", "198.51.100.54"}, when(0));
    usual(2, {"198.51.100.54", "203.0.113.53"}, when(0));
    mapping::claim near;
    near.edge = book.number_of(name_of(3));
    near.from = mapping::source::table;
    book.rows().put(pre("198.51.100.0/24"), near);
  }
  json::object mappings(const json::object& request) const {
    const auto told = mappings_json(book, request, when(10));
    REQUIRE(told.has_value());
    return *told;
  }
  strings prefixes(const json::object& request) const {
    strings all;
    const json::object told = mappings(request);
    for (const json::value& row : told.at("rows").as_array())
      all.emplace_back(std::string_view(row.as_object().at("prefix").as_string()));
    return all;
  }
};

}  // namespace

TEST_CASE_METHOD(node, "the rows are told by prefix, their claims in the order that counts", "[admin][mappings]") {
  CHECK(prefixes({}) == strings{"198.51.100.0/24", "198.51.100.53/32", "198.51.100.54/32", "203.0.113.53/32"});
  const auto told = mappings({});
  CHECK(told.at("total") == 4);
  const auto& shared = told.at("rows").as_array()[2].as_object().at("claims").as_array();
  REQUIRE(shared.size() == 2);
  const auto& first = shared[0].as_object();
  CHECK(first.at("edge").as_string() == name_of(1));
  CHECK(first.at("source") == "proved");
  CHECK(first.at("state") == "alive");
  CHECK(first.at("seen_s") == 10.0);
  CHECK(first.at("lease_s") == 290.0);
  CHECK(first.at("rtt_ms").is_null());
  CHECK(first.at("why") == "its nonce was seen from there 10 s ago");
  const auto& table = told.at("rows").as_array()[0].as_object().at("claims").as_array()[0].as_object();
  CHECK(table.at("source") == "table");
  CHECK(table.at("state") == "unregistered");
  CHECK(table.at("why") == "not registered");
}

TEST_CASE_METHOD(node, "a prefix shows the rows inside it, and the one that covers it", "[admin][mappings]") {
  CHECK(prefixes({{"prefix", "198.51.100.53"}}) == strings{"198.51.100.53/32"});
  CHECK(prefixes({{"prefix", "198.51.100.99"}}) == strings{"198.51.100.0/24"});
  CHECK(prefixes({{"prefix", "198.51.0.0/16"}}) == strings{"198.51.100.0/24", "198.51.100.53/32", "198.51.100.54/32"});
  CHECK(prefixes({{"prefix", "2001:db8::/32"}}).empty());
}

TEST_CASE_METHOD(node, "no more rows are told than wanted, and how many there are", "[admin][mappings]") {
  const auto told = mappings({{"limit", 2}});
  CHECK(told.at("rows").as_array().size() == 2);
  CHECK(told.at("total") == 4);
}

TEST_CASE_METHOD(node, "a request for rows that makes no sense is refused", "[admin][mappings]") {
  for (const json::object& request :
       {json::object{{"prefix", "198.51.100.1/24"}}, json::object{{"prefix", 7}}, json::object{{"limit", 0}},
        json::object{{"limit", 1'000'001}}, json::object{{"limit", "all"}}}) {
    const auto told = mappings_json(book, request, when(10));
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error().kind == errc::invalid);
  }
  CHECK_FALSE(edges_json(book, {{"pattern", std::string(256, '*')}}, when(10)).has_value());
}

TEST_CASE_METHOD(node, "why an edge is not used is told with its row and with itself", "[admin][mappings]") {
  book.checked(id(1), mapping::service_of(1), "timeout", when(5));
  const auto rows = mappings({{"prefix", "198.51.100.53"}}).at("rows").as_array();
  CHECK(rows[0].as_object().at("claims").as_array()[0].as_object().at("why") == "port 53: timeout");
  const auto told = edges_json(book, {{"pattern", "e1.*"}}, when(10));
  REQUIRE(told.has_value());
  const auto& edges = told->at("edges").as_array();
  REQUIRE(edges.size() == 1);
  const auto& edge = edges[0].as_object();
  CHECK(edge.at("edge").as_string() == name_of(1));
  CHECK(edge.at("state") == "port_dead");
  CHECK(edge.at("rows") == 2);
  CHECK(edge.at("report_age_s").is_null());
  const auto& address = edge.at("addresses").as_array()[0].as_object();
  CHECK(address.at("answers") == false);
  CHECK(address.at("reason") == "timeout");
  CHECK(address.at("checked_s") == 5.0);
}

TEST_CASE_METHOD(node, "edges are found by their name with or without the final dot", "[admin][mappings]") {
  for (const char* pattern : {"e2.ns.lb.example.com", "e2.ns.lb.example.com."})
    CHECK(edges_json(book, {{"pattern", pattern}}, when(10))->at("edges").as_array().size() == 1);
  CHECK(edges_json(book, {}, when(10))->at("edges").as_array().size() == 3);
}

}  // namespace nearside::admin
