// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <thread>

#include "agent/dataplane/route_watch.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"

using namespace nearside;
using namespace nearside::tests;
using dataplane::decide_route;
using dataplane::network;
using dataplane::reply_route;

namespace {

// lo, eth0 (2) with the default route, eth1 (3) without any, eth0.5 (4) on eth0.
network usual() {
  network n;
  n.links[1] = {.index = 1, .parent = 0, .loopback = true, .name = "lo"};
  n.links[2] = {.index = 2, .parent = 0, .loopback = false, .name = "eth0"};
  n.links[3] = {.index = 3, .parent = 0, .loopback = false, .name = "eth1"};
  n.links[4] = {.index = 4, .parent = 2, .loopback = false, .name = "eth0.5"};
  n.routes = {{{2}}, {{2}}};
  return n;
}

}  // namespace

TEST_CASE("replies are swapped where every route leaves by the one attached interface", "[route]") {
  const auto decision = decide_route(usual(), std::vector{2u});
  CHECK(decision.how == reply_route::swap);
  CHECK(decision.reason == "all routes leave by eth0");
}

TEST_CASE("routes by VLAN devices of the attached interface and by lo do not matter", "[route]") {
  auto n = usual();
  n.routes.push_back({{4}});
  n.routes.push_back({{1}});
  CHECK(decide_route(n, std::vector{2u}).how == reply_route::swap);
}

TEST_CASE("a route by another interface means asking the routing table", "[route]") {
  auto n = usual();
  SECTION("its own") { n.routes.push_back({{3}}); }
  SECTION("one of several next hops") { n.routes.push_back({{2, 3}}); }
  const auto decision = decide_route(n, std::vector{2u});
  CHECK(decision.how == reply_route::lookup);
  CHECK(decision.reason == "a route leaves by eth1");
}

TEST_CASE("whatever is not plain means asking the routing table", "[route]") {
  auto n = usual();
  CHECK(decide_route(n, {}).how == reply_route::lookup);
  CHECK(decide_route(n, std::vector{2u, 3u}).how == reply_route::lookup);
  CHECK(decide_route(n, std::vector{3u}).how == reply_route::lookup);
  SECTION("policy routing") { n.other_tables = true; }
  SECTION("no routes") { n.routes.clear(); }
  SECTION("only lo") { n.routes = {{{1}}}; }
  SECTION("a route by a next hop object") { n.routes.push_back({}); }
  SECTION("a VLAN device's parent is not its child") {
    CHECK(decide_route(n, std::vector{4u}).how == reply_route::lookup);
    return;
  }
  CHECK(decide_route(n, std::vector{2u}).how == reply_route::lookup);
}

TEST_CASE("the routing table of a namespace is read, and changes are announced", "[route][net]") {
  REQUIRE_KERNEL_SIDE();
  if (!enter_network_with_veth()) {
    WARN("SKIPPED: a network namespace with a veth pair cannot be made");
    return;
  }
  const std::vector attached{::if_nametoindex("nsd0")};
  auto watch = dataplane::route_watch::open().value();
  CHECK_FALSE(watch.drain().value());
  CHECK(decide_route(dataplane::route_watch::read().value(), attached).how == reply_route::swap);

  REQUIRE(std::system("ip route add 198.51.100.0/24 dev nsd1") == 0);
  CHECK(watch.drain().value());
  CHECK(decide_route(dataplane::route_watch::read().value(), attached).reason == "a route leaves by nsd1");
  REQUIRE(std::system("ip route del 198.51.100.0/24 dev nsd1") == 0);
  CHECK(decide_route(dataplane::route_watch::read().value(), attached).how == reply_route::swap);
  CHECK(watch.drain().value());
  CHECK_FALSE(watch.drain().value());
}

TEST_CASE("the decision is one flag for the program", "[route][bpf]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = dataplane::object::open_or_create(root.path(), small_sizes()).value();
  CHECK(dataplane::current_route(tables) == reply_route::swap);
  CHECK_FALSE(dataplane::apply_route(tables, reply_route::swap));
  CHECK(dataplane::apply_route(tables, reply_route::lookup));
  CHECK((tables.config().flags & CONFIG_ROUTE_LOOKUP) != 0);
  CHECK_FALSE(dataplane::apply_route(tables, reply_route::lookup));
  CHECK(dataplane::current_route(tables) == reply_route::lookup);
}
