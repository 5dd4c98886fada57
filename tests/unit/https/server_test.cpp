// SPDX-License-Identifier: BSD-2-Clause
// Who is let in, and how a request is answered.
#include <boost/asio/steady_timer.hpp>

#include "server_fixture.hpp"

namespace nearside::https {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

TEST_CASE("a request reaches the handler with its body and the names of the certificate", "[https][server]") {
  tested_server there;
  CHECK(there.once(there.as(there.edge), post(R"({"edge":"e17"})", "Content-Encoding: deflate\r\n"), "}") ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}");
  REQUIRE(there.seen.size() == 1);
  CHECK(there.seen[0].method == "POST");
  CHECK(there.seen[0].target == "/v1/renew");
  CHECK(there.seen[0].coding == "deflate");
  CHECK(there.seen[0].body == R"({"edge":"e17"})");
  CHECK(there.seen[0].client.names == std::vector<std::string>{"e17.ns.lb.example.com."});
  CHECK(there.seen[0].client.addresses ==
        std::vector{asio::ip::make_address("192.0.2.1"), asio::ip::make_address("2001:db8::1")});
  CHECK(there.under_test->count().handshakes == 1);
  CHECK(there.under_test->count().requests == 1);
}

TEST_CASE("a connection carries many requests, also those that were sent together", "[https][server]") {
  tested_server there;
  octet_client one(there.io, there.as(there.edge), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    co_await one.ask(post("1"), "}");
    co_await one.ask(post("2") + post("3"), "}HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11");
    co_return co_await one.ask(post("4", "Connection: close\r\n"), "never");
  };
  const auto last = there.run(all());
  CHECK_THAT(last, Contains("Connection: close\r\n"));
  CHECK_THAT(last, EndsWith("[End of file]"));
  REQUIRE(there.seen.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(there.seen[i].body == std::to_string(i + 1));
  CHECK(there.under_test->count().accepted == 1);
  // Our close_notify is not answered: it is waited for a second.
  there.rest(1200ms);
  CHECK(there.under_test->connections() == 0);
}

TEST_CASE("who shows no certificate is refused in the handshake", "[https][server]") {
  tested_server there;
  CHECK_THAT(there.once(https::client_context({there.ca.ca(), {}, {}}).value(), post("{}")),
             Contains("certificate required"));
  CHECK(there.seen.empty());
  CHECK(there.under_test->count().no_certificate == 1);
  CHECK(there.under_test->count().handshakes == 0);
}

TEST_CASE("a certificate of another CA is refused in the handshake", "[https][server]") {
  tested_server there;
  const tests::authority other;
  const auto strange = other.issue("DNS:e17.ns.lb.example.com");
  CHECK_THAT(there.once(there.as(strange), post("{}")), Contains("unknown ca"));
  CHECK(there.seen.empty());
  CHECK(there.under_test->count().bad_certificate == 1);
}

TEST_CASE("a certificate whose time is over is refused in the handshake", "[https][server]") {
  tested_server there;
  CHECK_THAT(there.once(there.as(there.ca.issue("DNS:e17.ns.lb.example.com", -10)), post("{}")),
             Contains("certificate expired"));
  CHECK(there.under_test->count().bad_certificate == 1);
}

TEST_CASE("a certificate whose time ends while its connection lives is refused at the next request",
          "[https][server]") {
  tested_server there;
  octet_client one(there.io, there.as(there.ca.issue("DNS:e17.ns.lb.example.com", 2)), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    co_await one.ask(post("1"), "}");
    asio::steady_timer pause(there.io, 2500ms);
    co_await pause.async_wait(as_result);
    co_return co_await one.ask(post("2"), "}");
  };
  CHECK_THAT(there.run(all()), StartsWith("["));
  CHECK(there.seen.size() == 1);
  CHECK(there.under_test->count().bad_certificate == 1);
}

TEST_CASE("older versions of TLS are refused", "[https][server]") {
  tested_server there;
  auto tls = there.as(there.edge);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(tls->native_handle(), TLS1_2_VERSION);
  CHECK(there.once(tls, post("{}")) == "[no handshake]");
  there.rest(50ms);
  CHECK(there.under_test->count().failed_handshake == 1);
}

TEST_CASE("a session is resumed with the certificate of its first handshake", "[https][server]") {
  tested_server there;
  auto tls = there.as(there.edge);
  SSL_CTX_clear_options(tls->native_handle(), SSL_OP_NO_TICKET);
  SSL_SESSION* kept = nullptr;
  {
    octet_client first(there.io, tls, there.port);
    const auto all = [&]() -> asio::awaitable<std::string> {
      co_await first.open();
      co_return co_await first.ask(post("1"), "}");
    };
    there.run(all());
    kept = SSL_get1_session(first.stream.native_handle());
    REQUIRE(SSL_SESSION_is_resumable(kept) == 1);
    // OpenSSL forgets the session of a connection that was not closed well.
    SSL_set_shutdown(first.stream.native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  octet_client second(there.io, tls, there.port);
  SSL_set_session(second.stream.native_handle(), kept);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await second.open();
    co_return co_await second.ask(post("2"), "}");
  };
  there.run(all());
  CHECK(SSL_session_reused(second.stream.native_handle()) == 1);
  CHECK(there.under_test->count().resumed == 1);
  REQUIRE(there.seen.size() == 2);
  CHECK(there.seen[1].client.names == there.seen[0].client.names);
  CHECK(there.seen[1].client.addresses == there.seen[0].client.addresses);

  SECTION("but not over a change of the files") {
    const tests::authority other;
    const auto own = other.issue("DNS:b1.example.net");
    there.under_test->set_context(https::server_context({other.ca(), own.certificate, own.key}).value()).value();
    octet_client third(there.io, tls, there.port);
    SSL_CTX_set_verify(tls->native_handle(), SSL_VERIFY_NONE, nullptr);
    SSL_set_verify(third.stream.native_handle(), SSL_VERIFY_NONE, nullptr);
    SSL_set_session(third.stream.native_handle(), kept);
    const auto again = [&]() -> asio::awaitable<std::string> {
      if (!co_await third.open()) co_return "[no handshake]";
      co_return co_await third.ask(post("3"), "}");
    };
    CHECK_THAT(there.run(again()), Contains("unknown ca"));
    CHECK(there.under_test->count().resumed == 1);
  }
  SSL_SESSION_free(kept);
}

TEST_CASE("other files close the connections that stand", "[https][server]") {
  tested_server there;
  octet_client one(there.io, there.as(there.edge), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    co_await one.ask(post("1"), "}");
    static_cast<void>(there.under_test->set_context(
        https::server_context({there.ca.ca(), there.own.certificate, there.own.key}).value()));
    co_return co_await one.hear("}");
  };
  CHECK_THAT(there.run(all()), StartsWith("["));
  CHECK_THAT(there.once(there.as(there.edge), post("2")), StartsWith("HTTP/1.1 200 OK"));
}

TEST_CASE("a closed server takes nobody and ends what it had", "[https][server]") {
  tested_server there;
  octet_client one(there.io, there.as(there.edge), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    co_await one.ask(post("{}"), "}");
    there.under_test->close();
    co_return co_await one.hear("}");
  };
  CHECK_THAT(there.run(all()), StartsWith("["));
  CHECK(there.once(there.as(there.edge), post("{}")) == "[no handshake]");
}

}  // namespace nearside::https
