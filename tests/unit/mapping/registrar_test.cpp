// SPDX-License-Identifier: BSD-2-Clause
// An edge's registration at a node: when it is made, renewed, changed and withdrawn.
#include "unit/mapping/registrar_fixture.hpp"

namespace nearside::mapping {
namespace {

using boost::asio::ip::make_address;
using state = registrar::state;

}  // namespace

TEST_CASE("nothing is sent before there is an address to register", "[mapping][registrar]") {
  registrar_by_hand edge;
  CHECK(edge.next_kind(1h) == std::nullopt);
  CHECK(edge.one.where() == state::unregistered);
}

TEST_CASE("an edge that the node does not know registers, and again with the egresses it finds",
          "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({});
  // The node may know us from before a restart: what it knows is not taken away.
  REQUIRE(edge.next_kind() == renews);
  edge.refuse(refusal::unknown_edge);
  REQUIRE(edge.next_kind() == registers);
  CHECK(parse_registration(edge.body, true)->egresses.empty());
  edge.ok();
  CHECK(edge.one.where() == state::registered);
  CHECK(edge.one.answer()->nonce_zone == "b1.who.lb.example.com.");

  const auto found = edge.now;
  edge.set({egress("203.0.113.1")});
  edge.pass(100ms);
  edge.set({egress("203.0.113.1"), egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.now - found <= 600ms);
  const auto sent = parse_registration(edge.body, true).value();
  CHECK(sent.edge == "e17.ns.lb.example.com.");
  CHECK(sent.addresses == std::vector{make_address("192.0.2.17")});
  CHECK(sent.egresses.size() == 2);
  CHECK(sent.egresses[0].nonce == "nonce1");
}

TEST_CASE("an edge that was restarted leaves what the node knows in force until it has found its egresses",
          "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({});
  REQUIRE(edge.next_kind() == renews);
  edge.ok();
  CHECK(edge.one.where() == state::registered);
  edge.pass(200ms);
  edge.set({egress("203.0.113.1")});
  CHECK(edge.next_kind(2s) == std::nullopt);
  edge.set({egress("203.0.113.1"), egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1500ms) == registers);
  CHECK(parse_registration(edge.body, true)->egresses.size() == 2);
}

TEST_CASE("a registration is renewed at a third of its lifetime, with some jitter", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.random = GENERATE(0.0, 0.5, 0.999);
  for (int i = 0; i < 5; ++i) {
    const auto before = edge.now;
    REQUIRE(edge.next_kind(200s) == renews);
    if (i > 0) {
      CHECK(edge.now - before >= 89s);
      CHECK(edge.now - before <= 109s);
    }
    edge.ok();
  }
  CHECK(parse_registration(edge.body, false)->edge == "e17.ns.lb.example.com.");
}

TEST_CASE("the granted lifetime counts, not the one asked for", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.ok({}, 30s);
  const auto before = edge.now;
  REQUIRE(edge.next_kind(60s) == renews);
  CHECK(edge.now - before <= 11s);
}

TEST_CASE("other nonces and the order of things are no change", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.set({egress("203.0.113.1", "nonce2")});
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("a change is registered within a second", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.pass(10s);
  const auto before = edge.now;
  SECTION("of the addresses") { edge.one.set_content({make_address("192.0.2.18")}, {egress("203.0.113.1")}, edge.now); }
  SECTION("of the egresses") { edge.set({egress("203.0.113.2")}); }
  SECTION("of a distance") {
    auto claim = egress("203.0.113.1");
    claim.rtt = 5ms;
    edge.set({claim});
  }
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(edge.now - before <= 1s);
  edge.ok();
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("what changes without end is registered all the same, but not more often than twice a second",
          "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  int sent = 0;
  for (int i = 0; i < 100; ++i) {
    edge.set({egress(("203.0.113." + std::to_string(i + 1)).c_str())});
    if (edge.next_kind() == registers) {
      ++sent;
      edge.ok();
    }
    edge.pass(100ms);
  }
  CHECK(sent >= 15);
  CHECK(sent <= 21);
}

TEST_CASE("what changes and changes back is not registered", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  edge.pass(100ms);
  edge.set({egress("203.0.113.1")});
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("there is never more than one message under way", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  edge.one.set_report(a_report());
  REQUIRE(edge.next_kind() == registers);
  edge.set({egress("203.0.113.2")});
  CHECK(edge.next_kind(1h) == std::nullopt);
}

TEST_CASE("what changes while its registration is under way is registered after it", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  SECTION("to something new") { edge.set({egress("203.0.113.3")}); }
  SECTION("back to what is accepted still") { edge.set({egress("203.0.113.1")}); }
  edge.ok();
  REQUIRE(edge.next_kind(1s) == registers);
  CHECK(parse_registration(edge.body, true)->egresses[0].address != make_address("203.0.113.2"));
  edge.ok();
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("what changes and changes back under way is registered once", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.set({egress("203.0.113.2")});
  REQUIRE(edge.next_kind(1s) == registers);
  edge.set({egress("203.0.113.3")});
  edge.set({egress("203.0.113.2")});
  edge.ok();
  CHECK(edge.next_kind(60s) == std::nullopt);
}

TEST_CASE("at the end the registration is withdrawn, once", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.stop();
  REQUIRE(edge.next_kind() == withdraws);
  CHECK(parse_withdrawal(edge.body)->edge == "e17.ns.lb.example.com.");
  SECTION("and answered") { edge.empty_ok(); }
  SECTION("and not answered") { edge.one.failed("timeout", edge.now); }
  SECTION("and not known") { edge.refuse(refusal::unknown_edge); }
  SECTION("and refused") { edge.refuse(refusal::not_allowed); }
  CHECK(edge.next_kind(1h) == std::nullopt);
  CHECK(edge.finished);
  CHECK(edge.one.where() == state::withdrawn);
}

TEST_CASE("a registration that may have been taken is withdrawn as well", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.set({egress("203.0.113.1")});
  REQUIRE(edge.next_kind() == registers);
  edge.one.stop();
  CHECK(edge.next_kind() == std::nullopt);
  CHECK(!edge.finished);
  edge.one.failed("given up", edge.now);
  CHECK(edge.next_kind() == withdraws);
}

TEST_CASE("a withdrawal that is stale is sent again", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.settle();
  edge.one.stop();
  REQUIRE(edge.next_kind() == withdraws);
  edge.refuse(refusal::stale_sequence, edge.newest + 5);
  CHECK(edge.next_kind() == withdraws);
}

TEST_CASE("what was never registered needs no withdrawal", "[mapping][registrar]") {
  registrar_by_hand edge;
  edge.one.stop();
  CHECK(edge.next_kind(1h) == std::nullopt);
  CHECK(edge.finished);
}

}  // namespace nearside::mapping
