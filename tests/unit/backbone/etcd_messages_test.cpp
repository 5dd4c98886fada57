// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/etcd_messages.hpp"

#include <catch2/catch.hpp>

using namespace nearside;
namespace messages = backbone::etcd_messages;

TEST_CASE("base64 goes there and back", "[backbone][etcd]") {
  CHECK(messages::base64("") == "");
  CHECK(messages::base64("f") == "Zg==");
  CHECK(messages::base64("fo") == "Zm8=");
  CHECK(messages::base64("foobar") == "Zm9vYmFy");
  for (const std::string& text : {std::string(), std::string("f"), std::string("fo"), std::string("foo\0\xff", 5)})
    CHECK(messages::parse_base64(messages::base64(text)) == text);
  for (const char* text : {"Z", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Z!==", "Zm8=\n"})
    CHECK_FALSE(messages::parse_base64(text));
}

TEST_CASE("requests are what the gateway takes", "[backbone][etcd]") {
  CHECK(messages::end_of_prefix("/nearside/edges/") == "/nearside/edges0");
  CHECK(messages::range("/a/", "/a/", 0, 500) == R"({"key":"L2Ev","range_end":"L2Ew","limit":500})");
  CHECK(messages::range("/a/b", "/a/", 7, 1) == R"({"key":"L2EvYg==","range_end":"L2Ew","limit":1,"revision":"7"})");
  CHECK(messages::watch("/a/", 8) ==
        R"({"create_request":{"key":"L2Ev","range_end":"L2Ew","start_revision":"8","progress_notify":true}})");
  CHECK(messages::put_all({{"/a/b", "v"}}, 5) ==
        R"({"success":[{"request_put":{"key":"L2EvYg==","value":"dg==","lease":"5"}}]})");
  CHECK(messages::grant(std::chrono::seconds(60)) == R"({"TTL":"60"})");
  CHECK(messages::authenticate("b1", "say \"x\"") == R"({"name":"b1","password":"say \"x\""})");
}

TEST_CASE("answers are read", "[backbone][etcd]") {
  const auto page = messages::parse_range(
      R"({"header":{"revision":"12"},"kvs":[{"key":"L2EvYg==","value":"dg==","mod_revision":"9"}],"more":true})");
  REQUIRE(page.has_value());
  CHECK(page->revision == 12);
  CHECK(page->more);
  REQUIRE(page->values.size() == 1);
  CHECK(page->values[0].key == "/a/b");
  CHECK(page->values[0].value == "v");

  const auto none = messages::parse_range(R"({"header":{"revision":"1"}})");
  REQUIRE(none.has_value());
  CHECK(none->values.empty());
  CHECK(messages::parse_lease(R"({"ID":"7587862094938519561","TTL":"60"})").value() == 7587862094938519561);
  CHECK(messages::parse_token(R"({"token":"abc.1"})").value() == "abc.1");
}

TEST_CASE("a watch tells of its start, of events, and of its end", "[backbone][etcd]") {
  const auto begun = messages::parse_watched(R"({"result":{"header":{"revision":"3"},"created":true}})").value();
  CHECK(begun.created);
  CHECK(begun.events.empty());
  const auto some = messages::parse_watched(
      R"({"result":{"header":{"revision":"4"},"events":[{"kv":{"key":"L2EvYg==","value":"dg=="}},)"
      R"({"type":"DELETE","kv":{"key":"L2EvYg=="}}]}})");
  REQUIRE(some.has_value());
  CHECK(some->revision == 4);
  REQUIRE(some->events.size() == 2);
  CHECK(some->events[0].value == "v");
  CHECK_FALSE(some->events[0].deleted);
  CHECK(some->events[1].deleted);
  const auto compacted =
      messages::parse_watched(R"({"result":{"header":{"revision":"9"},"canceled":true,"compact_revision":"8"}})")
          .value();
  CHECK(compacted.cancelled);
  CHECK(compacted.reason == "compacted at revision 8");
  const auto denied =
      messages::parse_watched(R"({"error":{"grpc_code":7,"http_code":403,"message":"etcdserver: permission denied"}})")
          .value();
  CHECK(denied.cancelled);
  CHECK(denied.reason == "etcdserver: permission denied");
}

TEST_CASE("answers that make no sense are errors", "[backbone][etcd]") {
  for (const char* text :
       {"", "null", "[]", "{", "{}", R"({"header":3})", R"({"header":{"revision":"x"}})",
        R"({"header":{"revision":"1"},"kvs":[1]})", R"({"header":{"revision":"1"},"kvs":[{"key":"!"}]})",
        R"({"header":{"revision":"1"},"more":"yes"})"})
    CHECK_FALSE(messages::parse_range(text).has_value());
  for (const char* text : {"", "{}", R"({"result":{}})", R"({"result":{"header":{},"events":[{}]}})",
                           R"({"result":{"header":{},"events":[{"kv":{"key":"L2Ev","value":"="}}]}})"})
    CHECK_FALSE(messages::parse_watched(text).has_value());
  CHECK_FALSE(messages::parse_token(R"({"token":"a\r\nX: y"})").has_value());
  CHECK_FALSE(messages::parse_token(R"({"token":""})").has_value());
  CHECK_FALSE(messages::parse_lease(R"({"TTL":"60"})").has_value());
}

TEST_CASE("failures tell what to do about them", "[backbone][etcd]") {
  const auto token = messages::parse_failure(
      401, R"({"error":"etcdserver: invalid auth token","message":"etcdserver: invalid auth token","code":16})");
  CHECK(token.is_token());
  CHECK(token.text == "etcdserver: invalid auth token");
  const auto lease = messages::parse_failure(404, R"({"error":"etcdserver: requested lease not found","code":5})");
  CHECK(lease.is_lease());
  CHECK_FALSE(lease.is_token());
  CHECK(messages::parse_failure(503, R"({"error":"etcdserver: request timed out","code":14})").code ==
        messages::code_unavailable);
  CHECK(messages::parse_failure(404, "<html>").text == "HTTP status 404");
}
