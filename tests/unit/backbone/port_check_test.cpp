// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/port_check.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <set>

using namespace nearside;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::make_address;
using asio::ip::udp;
using backbone::port_check;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// An edge's port 53 on an address of loopback, as it is told to be.
struct edge {
  edge(asio::io_context& io, const std::string& address, std::uint16_t port)
      : socket(io, udp::endpoint(make_address(address), port)) {
    asio::co_spawn(io, serve(), asio::detached);
  }
  asio::awaitable<void> serve() {
    for (std::array<std::uint8_t, 512> query;;) {
      udp::endpoint from;
      const auto [failed, octets] = co_await socket.async_receive_from(asio::buffer(query), from, as_result);
      if (failed) co_return;
      ++queries;
      names.insert(std::string(query.begin() + 12, query.begin() + static_cast<std::ptrdiff_t>(octets)));
      if (lost > 0) {
        --lost;
        continue;
      }
      if (silent) continue;
      query[2] = authority ? 0x84 : 0x80;
      query[3] = rcode;
      co_await socket.async_send_to(asio::buffer(query, octets), from, as_result);
    }
  }
  udp::socket socket;
  int queries = 0;
  int lost = 0;
  bool silent = false;
  bool authority = true;
  std::uint8_t rcode = 0;
  std::set<std::string> names;
};

struct verdict {
  mapping::edge_id edge;
  std::string address;
  std::string reason;
  friend bool operator==(const verdict&, const verdict&) = default;
};

struct checked {
  checked() {
    udp::socket free(io, {asio::ip::address_v4::loopback(), 0});
    settings.port = free.local_endpoint().port();
    settings.interval = 300ms;
    settings.timeout = 200ms;
    settings.resend = 50ms;
    free.close();
    under_test =
        port_check::make(io.get_executor(), settings,
                         [this](mapping::edge_id which, const asio::ip::address& address, const std::string& why) {
                           told.push_back({which, address.to_string(), why});
                         })
            .value();
    set_names({"www.lb.example.com."});
  }
  void set_names(const std::vector<std::string>& texts) {
    std::vector<dns::name> names;
    for (const auto& text : texts) names.push_back(dns::name::from_text(text).value());
    under_test->set_names(names);
  }
  void watch(mapping::edge_id which, const std::vector<std::string>& texts, bool at_leisure = false) {
    std::vector<asio::ip::address> addresses;
    for (const auto& text : texts) addresses.push_back(make_address(text));
    under_test->watch(which, addresses, at_leisure);
  }
  void run(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }
  /// For what comes in its time, or later where the machine is busy.
  void run_until(const std::function<bool()>& come) {
    for (int i = 0; i < 500 && !come(); ++i) run(10ms);
    REQUIRE(come());
  }
  asio::io_context io;
  backbone::port_check_settings settings;
  std::unique_ptr<port_check> under_test;
  std::vector<verdict> told;
};

}  // namespace

TEST_CASE("an edge is asked at once, and again each interval", "[backbone][port]") {
  checked all;
  edge e17(all.io, "127.0.0.17", all.settings.port);
  all.watch(17, {"127.0.0.17"});
  const auto begun = steady::now();
  all.run_until([&] { return !all.told.empty(); });
  CHECK(all.told == std::vector<verdict>{{17, "127.0.0.17", ""}});
  all.run_until([&] { return all.told.size() == 4; });
  CHECK(steady::now() - begun > 700ms);
}

TEST_CASE("a lost query is sent again and tells nothing against the edge", "[backbone][port]") {
  checked all;
  edge e17(all.io, "127.0.0.17", all.settings.port);
  e17.lost = 1;
  all.watch(17, {"127.0.0.17"});
  all.run_until([&] { return !all.told.empty(); });
  CHECK(all.told == std::vector<verdict>{{17, "127.0.0.17", ""}});
  CHECK(e17.queries >= 2);
}

TEST_CASE("an edge that fails twice in a row is told with the reason, and once more when it is well",
          "[backbone][port]") {
  checked all;
  edge e17(all.io, "127.0.0.17", all.settings.port);
  SECTION("silence") {
    e17.silent = true;
    all.watch(17, {"127.0.0.17"});
    const auto begun = steady::now();
    all.run_until([&] { return !all.told.empty(); });
    CHECK(steady::now() - begun > 400ms);
    CHECK(all.told.front() == verdict{17, "127.0.0.17", "no reply"});
    CHECK(e17.queries == 4);
    e17.silent = false;
  }
  SECTION("an error") {
    e17.rcode = 2;
    all.watch(17, {"127.0.0.17"});
    all.run_until([&] { return !all.told.empty(); });
    CHECK(all.told.front() == verdict{17, "127.0.0.17", "SERVFAIL"});
    e17.rcode = 0;
  }
  SECTION("no authority") {
    e17.authority = false;
    all.watch(17, {"127.0.0.17"});
    all.run_until([&] { return !all.told.empty(); });
    CHECK(all.told.front() == verdict{17, "127.0.0.17", "not authoritative"});
    e17.authority = true;
  }
  all.told.clear();
  all.run_until([&] { return !all.told.empty() && all.told.back() == verdict{17, "127.0.0.17", ""}; });
}

TEST_CASE("the names take turns", "[backbone][port]") {
  checked all;
  all.set_names({"www.lb.example.com.", "img.lb.example.com."});
  edge e17(all.io, "127.0.0.17", all.settings.port);
  all.watch(17, {"127.0.0.17"});
  all.run_until([&] { return e17.names.size() == 2; });
}

TEST_CASE("without a mapped name nothing is asked", "[backbone][port]") {
  checked all;
  all.set_names({});
  edge e17(all.io, "127.0.0.17", all.settings.port);
  all.watch(17, {"127.0.0.17"});
  all.run(500ms);
  CHECK(e17.queries == 0);
  CHECK(all.told.empty());
  all.set_names({"www.lb.example.com."});
  all.run_until([&] { return e17.queries > 0; });
}

TEST_CASE("a reply with another ID, from another address, or without our question is not believed",
          "[backbone][port]") {
  checked all;
  all.watch(17, {"127.0.0.17"});
  udp::socket liar(all.io, udp::endpoint(make_address("127.0.0.18"), all.settings.port));
  udp::socket there(all.io, udp::endpoint(make_address("127.0.0.17"), all.settings.port));
  std::array<std::uint8_t, 512> query{};
  udp::endpoint from;
  const auto lie = [&]() -> asio::awaitable<void> {
    const auto [failed, octets] = co_await there.async_receive_from(asio::buffer(query), from, as_result);
    REQUIRE_FALSE(failed);
    query[2] = 0x84;
    co_await liar.async_send_to(asio::buffer(query, octets), from, as_result);
    query[1] ^= 1U;
    co_await there.async_send_to(asio::buffer(query, octets), from, as_result);
    query[1] ^= 1U;
    query[14] ^= 1U;
    co_await there.async_send_to(asio::buffer(query, octets), from, as_result);
  };
  asio::co_spawn(all.io, lie(), asio::detached);
  all.run_until([&] { return all.under_test->count().foreign == 3; });
  CHECK(all.told.empty());
}

TEST_CASE("an edge is watched at the addresses that it has now", "[backbone][port]") {
  checked all;
  edge a(all.io, "127.0.0.17", all.settings.port);
  edge b(all.io, "127.0.0.18", all.settings.port);
  all.watch(17, {"127.0.0.17"});
  all.watch(18, {"127.0.0.17", "127.0.0.18"});
  all.run_until([&] { return all.told.size() >= 3; });
  CHECK(all.under_test->addresses() == 2);
  CHECK(a.queries <= 2);  // for both edges together
  all.watch(17, {"127.0.0.18"});
  all.under_test->forget(18);
  CHECK(all.under_test->addresses() == 1);
  all.told.clear();
  all.run_until([&] { return !all.told.empty(); });
  for (const auto& one : all.told) CHECK(one == verdict{17, "127.0.0.18", ""});
  all.under_test->forget(17);
  all.told.clear();
  all.run(400ms);
  CHECK(all.told.empty());
}

TEST_CASE("what our own side cannot send says nothing of the edge", "[backbone][port]") {
  checked all;
  all.watch(17, {"255.255.255.255"});  // not allowed without SO_BROADCAST
  all.run_until([&] { return all.under_test->count().unsent > 1; });
  CHECK(all.told.empty());
}

TEST_CASE("many that come together at a restart are spread over an interval", "[backbone][port]") {
  checked all;
  all.settings.interval = 2s;
  all.under_test->set_settings(all.settings);
  edge e17(all.io, "127.0.0.17", all.settings.port);
  std::vector<std::string> addresses;
  std::vector<std::unique_ptr<edge>> edges;
  for (int i = 1; i <= 100; ++i) {
    const std::string address = "127.0.7." + std::to_string(i);
    edges.push_back(std::make_unique<edge>(all.io, address, all.settings.port));
    all.watch(static_cast<mapping::edge_id>(i), {address}, true);
  }
  all.run_until([&] { return all.told.size() > 20; });
  CHECK(all.told.size() < 80);
  all.run_until([&] { return all.told.size() >= 100; });
}

TEST_CASE("many that are new at once are asked in portions, and all of them soon", "[backbone][port]") {
  checked all;
  all.settings.interval = 60s;
  all.settings.timeout = 5s;
  all.settings.resend = 5s;
  all.under_test->set_settings(all.settings);
  for (unsigned i = 0; i < 2000; ++i)
    all.under_test->watch(i, std::array{asio::ip::address(asio::ip::address_v4(0x7f020000U + i))}, false);
  all.run(15ms);
  CHECK(all.under_test->count().sent < 2000);
  all.run_until([&] { return all.under_test->count().sent + all.under_test->count().unsent == 2000; });
  CHECK(all.under_test->count().unsent == 0);
}
