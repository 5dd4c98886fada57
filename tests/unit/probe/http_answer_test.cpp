// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/http_answer.hpp"

#include <catch2/catch.hpp>

using namespace nearside::probe;

namespace {

constexpr std::size_t limit = 65536;

/// The reason; empty: none.
std::string fed(http_answer& answer, std::string_view octets) {
  const auto wrong = answer.take(octets);
  return wrong ? wrong->reason : "";
}

}  // namespace

TEST_CASE("an answer with a length is enough when its last octet is there", "[probe][http]") {
  http_answer answer(limit, false);
  CHECK(fed(answer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell").empty());
  CHECK_FALSE(answer.enough());
  CHECK(fed(answer, "o").empty());
  CHECK(answer.enough());
  CHECK(answer.status() == 200);
  CHECK(answer.body() == "hello");
}

TEST_CASE("an answer may come octet by octet", "[probe][http]") {
  http_answer answer(limit, false);
  const std::string_view whole =
      "HTTP/1.1 503 Busy\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK_FALSE(answer.enough());
    REQUIRE(fed(answer, whole.substr(i, 1)).empty());
  }
  CHECK(answer.enough());
  CHECK(answer.status() == 503);
  CHECK(answer.body() == "abcde");
}

TEST_CASE("an answer with a status that no server should have is an answer, and the last", "[probe][http]") {
  http_answer answer(limit, false);
  CHECK(fed(answer, "HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\nAAAA").empty());
  CHECK(answer.enough());
  CHECK(answer.status() == 99);
  CHECK(fed(answer, "more").empty());
  CHECK_FALSE(answer.take_end());
}

TEST_CASE("without a length the body ends with the connection", "[probe][http]") {
  http_answer answer(limit, false);
  CHECK(fed(answer, "HTTP/1.0 200 OK\r\n\r\nall").empty());
  CHECK_FALSE(answer.enough());
  CHECK_FALSE(answer.take_end());
  CHECK(answer.body() == "all");
}

TEST_CASE("an answer that the connection's end cuts short is a failure", "[probe][http]") {
  for (const char* part : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nCon", "HTTP/1.1",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    INFO(part);
    http_answer answer(limit, false);
    CHECK(fed(answer, part).empty());
    const auto wrong = answer.take_end();
    REQUIRE(wrong.has_value());
    CHECK(wrong->reason == "http: answer is cut short");
    CHECK(wrong->why == cause::broken);
  }
}

TEST_CASE("a connection that ends without an octet is told apart", "[probe][http]") {
  http_answer answer(limit, false);
  const auto wrong = answer.take_end();
  REQUIRE(wrong.has_value());
  CHECK(wrong->reason == "closed: first byte");
}

TEST_CASE("no more of a body is kept than its limit, and then it is enough", "[probe][http]") {
  http_answer answer(4, false);
  CHECK(fed(answer, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello").empty());
  CHECK(answer.enough());
  CHECK(answer.body() == "hell");
}

TEST_CASE("the answer to a HEAD has no body", "[probe][http]") {
  http_answer answer(limit, true);
  CHECK(fed(answer, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").empty());
  CHECK(answer.enough());
}

TEST_CASE("answers that only announce the final one are passed over, within reason", "[probe][http]") {
  http_answer answer(limit, false);
  CHECK(fed(answer, "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n").empty());
  CHECK_FALSE(answer.enough());
  CHECK(fed(answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").empty());
  CHECK(answer.enough());
  CHECK(answer.status() == 204);

  http_answer endless(limit, false);
  std::string reason;
  for (int i = 0; i < 20 && reason.empty(); ++i) reason = fed(endless, "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(reason == "http: no final answer");
}

TEST_CASE("what is no HTTP is refused at once", "[probe][http]") {
  for (const char* other : {"SSH-2.0-OpenSSH_9.2\r\n", "220 mail.example.com ESMTP\r\n", "HTTP/3.0 200 OK\r\n\r\n",
                            "HTTP/1.1 2OO OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"}) {
    INFO(other);
    http_answer answer(limit, false);
    CHECK(fed(answer, other) == "http: not an HTTP answer");
  }
}

TEST_CASE("a header without end, and a chunk's without end, are bounded", "[probe][http]") {
  http_answer answer(limit, false);
  std::string reason = fed(answer, "HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 100 && reason.empty(); ++i) reason = fed(answer, "X: " + std::string(1000, 'x') + "\r\n");
  CHECK(reason == "http: header is too long");

  http_answer chunked(limit, false);
  reason = fed(chunked, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
  for (int i = 0; i < 100 && reason.empty(); ++i) reason = fed(chunked, std::string(1000, 'x'));
  CHECK_FALSE(reason.empty());
}
