// SPDX-License-Identifier: BSD-2-Clause
// What clients that do not play by the rules can do: sizes, waits, numbers of connections.
#include <boost/asio/steady_timer.hpp>

#include "server_fixture.hpp"

namespace nearside::https {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

TEST_CASE("what is no HTTP, or too large, is refused with a reason that arrives", "[https][server]") {
  tested_server there;
  const auto tls = there.as(there.edge);
  CHECK_THAT(there.once(tls, "HELLO\r\n\r\n", "never"), StartsWith("HTTP/1.1 400 Bad Request"));
  CHECK_THAT(there.once(tls, post("{}", "X: " + std::string(9000, 'x') + "\r\n"), "never"),
             StartsWith("HTTP/1.1 431 Request Header Fields Too Large"));
  const auto large = there.once(tls, post(std::string(65537, 'x')), "never");
  CHECK_THAT(large, StartsWith("HTTP/1.1 413 Payload Too Large"));
  CHECK_THAT(large, Contains(R"("error":"too_large")"));
  CHECK_THAT(large, Contains("Connection: close"));
  // Many more octets than any socket buffer holds, said whether they are wanted or not.
  CHECK_THAT(there.once(tls, post(std::string(200'000, 'x')), "never"), StartsWith("HTTP/1.1 413"));
  CHECK(there.seen.empty());
  CHECK(there.under_test->count().malformed == 1);
  CHECK(there.under_test->count().too_large == 3);
  CHECK_THAT(there.once(tls, post(std::string(65536, 'x'))), StartsWith("HTTP/1.1 200 OK"));
}

TEST_CASE("a chunked body is bounded as a counted one", "[https][server]") {
  tested_server there;
  const std::string head = "POST /v1/report HTTP/1.1\r\nHost: b1\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK_THAT(there.once(there.as(there.edge), head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  REQUIRE(there.seen.size() == 1);
  CHECK(there.seen[0].body == "abcde");
  std::string endless = head;
  for (int i = 0; i < 70; ++i) endless += "400\r\n" + std::string(1024, 'x') + "\r\n";
  CHECK_THAT(there.once(there.as(there.edge), endless, "never"), StartsWith("HTTP/1.1 413"));
}

TEST_CASE("who waits for leave to send a body gets it", "[https][server]") {
  tested_server there;
  octet_client one(there.io, there.as(there.edge), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    const auto leave =
        co_await one.ask("POST /v1/renew HTTP/1.1\r\nHost: b1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    co_return leave + co_await one.ask("{}", "}");
  };
  CHECK_THAT(there.run(all()), StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_CASE("a request that does not end in time is given up, however it dribbles", "[https][server]") {
  https::server_limits limits;
  limits.read = 500ms;
  tested_server there(limits);
  octet_client one(there.io, there.as(there.edge), there.port);
  const auto begun = std::chrono::steady_clock::now();
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    asio::steady_timer pause(there.io);
    const std::string slow = post("{}");
    for (std::size_t i = 0; i < 20; ++i) {
      if (!co_await one.say(slow.substr(i, 1))) co_return "[not sent]";
      pause.expires_after(50ms);
      co_await pause.async_wait(as_result);
    }
    co_return co_await one.hear("}");
  };
  CHECK_THAT(there.run(all()), StartsWith("["));
  CHECK(std::chrono::steady_clock::now() - begun < 2s);
  CHECK(there.under_test->count().timed_out == 1);
  CHECK(there.seen.empty());
}

TEST_CASE("a quiet connection is closed after its time, a handshake that stalls too", "[https][server]") {
  https::server_limits limits;
  limits.idle = 300ms;
  limits.handshake = 300ms;
  tested_server there(limits);
  octet_client quiet(there.io, there.as(there.edge), there.port);
  tcp::socket stalled(there.io);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await quiet.open();
    co_await stalled.async_connect({asio::ip::address_v4::loopback(), there.port}, as_result);
    co_return co_await quiet.hear("}");
  };
  CHECK_THAT(there.run(all()), StartsWith("["));
  there.rest(300ms);
  CHECK(there.under_test->connections() == 0);
  CHECK(there.under_test->count().timed_out == 1);  // the handshake's: to be idle is no fault
}

TEST_CASE("beyond the limit the connection that was idle longest goes", "[https][server]") {
  https::server_limits limits;
  limits.connections = 8;  // two of them for one address
  tested_server there(limits);
  const auto tls = there.as(there.edge);
  octet_client first(there.io, tls, there.port);
  octet_client second(there.io, tls, there.port);
  octet_client third(there.io, tls, there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    for (octet_client* one : {&first, &second}) {
      co_await one->open();
      co_await one->ask(post("{}"), "}");
    }
    co_await first.ask(post("{}"), "}");
    co_await third.open();
    co_await third.ask(post("{}"), "}");
    const auto still = co_await first.ask(post("{}"), "}");
    co_return still + co_await second.hear("}");
  };
  const auto heard = there.run(all());
  CHECK_THAT(heard, StartsWith("HTTP/1.1 200 OK"));
  CHECK_THAT(heard, EndsWith("]"));
  CHECK(there.under_test->count().evicted == 1);
}

TEST_CASE("handshakes that stall do not keep others out for long, and one address has half of them at most",
          "[https][server]") {
  https::server_limits limits;
  limits.handshakes = 4;
  limits.handshake_in_the_way = 200ms;
  tested_server there(limits);
  std::vector<tcp::socket> stalled;
  const auto stall = [&]() -> asio::awaitable<int> {
    for (const char* from : {"127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"}) {
      auto& socket = stalled.emplace_back(there.io, tcp::endpoint(asio::ip::make_address(from), 0));
      co_await socket.async_connect({asio::ip::address_v4::loopback(), there.port}, as_result);
    }
    co_return 0;
  };
  there.run(stall());
  there.rest(20ms);
  CHECK(there.under_test->count().crowded == 1);
  CHECK(there.under_test->connections() == 4);
  const auto begun = std::chrono::steady_clock::now();
  CHECK_THAT(there.once(there.as(there.edge), post("{}")), StartsWith("HTTP/1.1 200"));
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(took > 100ms);
  CHECK(took < 1s);
  CHECK(there.under_test->count().timed_out >= 1);
}

}  // namespace nearside::https
