// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "agent/https/tls_context.hpp"
#include "agent/https/tls_stream.hpp"
#include "tests/support/certificates.hpp"

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using https::server;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::string post(const std::string& body, const std::string& more = "") {
  return "POST /v1/renew HTTP/1.1\r\nHost: b1\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// A client that says octets, and hears what comes until `enough` of it is there, the end, or a second without any.
struct client {
  client(asio::io_context& io, https::tls_context tls, std::uint16_t to)
      : context(std::move(tls)), stream(io, *context), port(to) {}

  asio::awaitable<bool> open() {
    const tcp::endpoint there(asio::ip::address_v4::loopback(), port);
    const auto [unreached] = co_await stream.next_layer().async_connect(there, as_result);
    if (unreached) co_return false;
    const auto [failed] = co_await stream.async_handshake(https::tls_stream::client, as_result);
    co_return !failed;
  }
  asio::awaitable<bool> say(std::string octets) {
    const auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(octets), as_result);
    co_return !failed;
  }
  asio::awaitable<std::string> hear(std::string enough) {
    std::string heard;
    deadline until(stream.get_executor());
    until.give_up_by([this] { stream.next_layer().close(); });
    until.within(3s);
    std::array<char, 4096> chunk;
    while (heard.find(enough) == std::string::npos) {
      const auto [failed, got] = co_await stream.async_read_some(asio::buffer(chunk), as_result);
      heard.append(chunk.data(), got);
      if (failed) co_return heard + "[" + (until.expired() ? "nothing more" : failed.message()) + "]";
    }
    co_return heard;
  }
  asio::awaitable<std::string> ask(std::string octets, std::string enough = "\r\n\r\n") {
    const bool said = co_await say(std::move(octets));
    if (!said) co_return "[not sent]";
    co_return co_await hear(std::move(enough));
  }

  https::tls_context context;
  https::tls_stream stream;
  std::uint16_t port;
};

struct served {
  explicit served(https::server_limits limits = {}) {
    https::tls_context context = https::server_context({ca.ca(), own.certificate, own.key}).value();
    under_test = server::make(io.get_executor(), context, limits, [this](const https::request& asked) {
                   seen.push_back({std::string(asked.method), std::string(asked.target), std::string(asked.coding),
                                   std::string(asked.body), asked.client});
                   return https::reply{200, R"({"ok":true})"};
                 }).value();
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    port = acceptor.local_endpoint().port();
    under_test->listen(std::move(acceptor));
  }
  [[nodiscard]] https::tls_context as(const tests::certificate_files& files) const {
    return https::client_context({ca.ca(), files.certificate, files.key}).value();
  }
  template <typename T>
  T run(asio::awaitable<T> what) {
    std::optional<T> end;
    auto on_end = [&](const std::exception_ptr& thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      end = std::move(value);
      io.stop();
    };
    asio::co_spawn(io, std::move(what), std::move(on_end));
    io.restart();
    io.run_for(20s);
    REQUIRE(end.has_value());
    return std::move(*end);
  }
  void rest(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }
  /// A connection of its own: a handshake, these octets, and what is heard.
  std::string once(const https::tls_context& tls, const std::string& octets, const std::string& enough = "\r\n\r\n") {
    client one(io, tls, port);
    const auto all = [&]() -> asio::awaitable<std::string> {
      if (!co_await one.open()) co_return "[no handshake]";
      co_return co_await one.ask(octets, enough);
    };
    return run(all());
  }

  struct request {
    std::string method, target, coding, body;
    https::client_certificate client;
  };
  tests::authority ca;
  tests::certificate_files own = ca.issue("DNS:b1.example.net");
  tests::certificate_files edge = ca.issue("DNS:E17.ns.lb.example.com,IP:192.0.2.1,IP:2001:db8::1");
  asio::io_context io;
  std::shared_ptr<server> under_test;
  std::vector<request> seen;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("a request reaches the handler with its body and the names of the certificate", "[https][server]") {
  served there;
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
  served there;
  client one(there.io, there.as(there.edge), there.port);
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
  served there;
  CHECK_THAT(there.once(https::client_context({there.ca.ca(), {}, {}}).value(), post("{}")),
             Contains("certificate required"));
  CHECK(there.seen.empty());
  CHECK(there.under_test->count().no_certificate == 1);
  CHECK(there.under_test->count().handshakes == 0);
}

TEST_CASE("a certificate of another CA is refused in the handshake", "[https][server]") {
  served there;
  const tests::authority other;
  const auto strange = other.issue("DNS:e17.ns.lb.example.com");
  CHECK_THAT(there.once(there.as(strange), post("{}")), Contains("unknown ca"));
  CHECK(there.seen.empty());
  CHECK(there.under_test->count().bad_certificate == 1);
}

TEST_CASE("a certificate whose time is over is refused in the handshake", "[https][server]") {
  served there;
  CHECK_THAT(there.once(there.as(there.ca.issue("DNS:e17.ns.lb.example.com", -10)), post("{}")),
             Contains("certificate expired"));
  CHECK(there.under_test->count().bad_certificate == 1);
}

TEST_CASE("a certificate whose time ends while its connection lives is refused at the next request",
          "[https][server]") {
  served there;
  client one(there.io, there.as(there.ca.issue("DNS:e17.ns.lb.example.com", 2)), there.port);
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
  served there;
  auto tls = there.as(there.edge);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(tls->native_handle(), TLS1_2_VERSION);
  CHECK(there.once(tls, post("{}")) == "[no handshake]");
  there.rest(50ms);
  CHECK(there.under_test->count().failed_handshake == 1);
}

TEST_CASE("a session is resumed with the certificate of its first handshake", "[https][server]") {
  served there;
  auto tls = there.as(there.edge);
  SSL_CTX_clear_options(tls->native_handle(), SSL_OP_NO_TICKET);
  SSL_SESSION* kept = nullptr;
  {
    client first(there.io, tls, there.port);
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
  client second(there.io, tls, there.port);
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
    client third(there.io, tls, there.port);
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
  served there;
  client one(there.io, there.as(there.edge), there.port);
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

TEST_CASE("what is no HTTP, or too large, is refused with a reason that arrives", "[https][server]") {
  served there;
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
  served there;
  const std::string head = "POST /v1/report HTTP/1.1\r\nHost: b1\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK_THAT(there.once(there.as(there.edge), head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  REQUIRE(there.seen.size() == 1);
  CHECK(there.seen[0].body == "abcde");
  std::string endless = head;
  for (int i = 0; i < 70; ++i) endless += "400\r\n" + std::string(1024, 'x') + "\r\n";
  CHECK_THAT(there.once(there.as(there.edge), endless, "never"), StartsWith("HTTP/1.1 413"));
}

TEST_CASE("who waits for leave to send a body gets it", "[https][server]") {
  served there;
  client one(there.io, there.as(there.edge), there.port);
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
  served there(limits);
  client one(there.io, there.as(there.edge), there.port);
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
  served there(limits);
  client quiet(there.io, there.as(there.edge), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await quiet.open();
    tcp::socket stalled(there.io);
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
  served there(limits);
  const auto tls = there.as(there.edge);
  client first(there.io, tls, there.port);
  client second(there.io, tls, there.port);
  client third(there.io, tls, there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    for (client* one : {&first, &second}) {
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
  served there(limits);
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

TEST_CASE("a closed server takes nobody and ends what it had", "[https][server]") {
  served there;
  client one(there.io, there.as(there.edge), there.port);
  const auto all = [&]() -> asio::awaitable<std::string> {
    co_await one.open();
    co_await one.ask(post("{}"), "}");
    there.under_test->close();
    co_return co_await one.hear("}");
  };
  CHECK_THAT(there.run(all()), StartsWith("["));
  CHECK(there.once(there.as(there.edge), post("{}")) == "[no handshake]");
}
