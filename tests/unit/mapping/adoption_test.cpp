// SPDX-License-Identifier: BSD-2-Clause
// Records of other nodes and of the store at the registry: what is adopted, and that the order does not matter.
#include <catch2/catch.hpp>
#include <random>

#include "agent/mapping/registry.hpp"
#include "unit/mapping/registry_fixture.hpp"

namespace nearside::mapping {

TEST_CASE("a newer record is adopted, an older or the same is not", "[mapping][registry][adopt]") {
  backbone b1;
  backbone b2(settings_of("b2"));
  b1.usual(1, {"198.51.100.53"}, when(0));
  const edge_record first = b1.edge(1).record;
  CHECK(b2.book.adopt(first, false, when(1)));
  CHECK(b2.rows() == texts{"198.51.100.53/32: e1"});
  CHECK(b2.edge(1).record == first);
  CHECK(b2.edge(1).state == liveness::checking);
  CHECK(b2.book.next_expiry() == when(300));
  CHECK_FALSE(b2.book.adopt(first, false, when(1)));
  CHECK(b2.book.take_changes().records.empty());

  b1.register_edge(1, {}, when(2));
  const edge_record second = b1.edge(1).record;
  CHECK(b2.book.adopt(second, false, when(3)));
  CHECK(b2.rows().empty());
  CHECK_FALSE(b2.book.adopt(first, false, when(3)));
  CHECK(b2.rows().empty());
}

TEST_CASE("an edge goes on at another node where one has accepted it", "[mapping][registry][adopt]") {
  backbone b1;
  backbone b2(settings_of("b2"));
  b1.usual(1, {"198.51.100.53"}, when(0));
  REQUIRE(b2.book.adopt(b1.edge(1).record, false, when(1)));
  // Older than what came by the other node: the edge is told above which number to go on.
  auto early = b1.message(1);
  early.sequence = 1;
  CHECK(refusal_in(b2.book.accept(certificate(1), early, when(2))).newest == b1.edge(1).record.sequence);
  const auto renewed = b2.book.renew(certificate(1), b1.message(1), when(2));
  REQUIRE(done(renewed));
  CHECK(std::get<registered>(renewed).nonce_key == key_of_edge(b2.settings.master, name_of(1)));
  // What the other node has seen proved needs no nonce here.
  const auto again = b2.book.accept(certificate(1), b1.message(1, {{at("198.51.100.53"), "", {}}}), when(3));
  CHECK(std::get<registered>(again).egresses[0].accepted);
  CHECK(b2.edge(1).record.accepted_by == "b2");
  CHECK(b1.book.adopt(b2.edge(1).record, false, when(4)));
  CHECK(b1.rows() == texts{"198.51.100.53/32: e1"});
}

TEST_CASE("a withdrawal reaches other nodes, and a record from before it does not undo it",
          "[mapping][registry][adopt]") {
  backbone b1;
  backbone b2(settings_of("b2"));
  b1.usual(1, {"198.51.100.53"}, when(0));
  const edge_record before = b1.edge(1).record;
  REQUIRE(done(b1.book.withdraw(certificate(1), name_of(1), ++b1.sequence, when(1))));
  const edge_record after = b1.edge(1).record;
  SECTION("in order") {
    CHECK(b2.book.adopt(before, false, when(2)));
    CHECK(b2.book.adopt(after, false, when(2)));
  }
  SECTION("the other way round") {
    CHECK(b2.book.adopt(after, false, when(2)));
    CHECK_FALSE(b2.book.adopt(before, false, when(2)));
  }
  CHECK(b2.edge(1).state == liveness::withdrawn);
  CHECK(b2.rows().empty());
}

TEST_CASE("newer proofs of the same registration are joined", "[mapping][registry][adopt]") {
  backbone b1;
  backbone b2(settings_of("b2"));
  b1.usual(1, {"198.51.100.53", "198.51.100.54"}, when(0));
  REQUIRE(b2.book.adopt(b1.edge(1).record, false, when(1)));
  b1.sight(1, "198.51.100.53", when(50));
  CHECK(b2.book.adopt(b1.edge(1).record, false, when(51)));
  CHECK(b2.book.rows().at(pre("198.51.100.53/32"))->claims[0].proved == when(50));
  CHECK(b2.book.rows().at(pre("198.51.100.54/32"))->claims[0].proved == when(0));
  CHECK_FALSE(b2.book.adopt(b1.edge(1).record, false, when(52)));
}

TEST_CASE("an edge of the store is used at once, until its port is found dead", "[mapping][registry][adopt]") {
  backbone b1;
  backbone again(settings_of("b1"));
  b1.usual(1, {"198.51.100.53"}, when(0));
  CHECK(again.book.adopt(b1.edge(1).record, true, when(5)));
  CHECK(again.book.alive(again.id(1)));
  CHECK(again.book.take_changes().liveness == std::vector<edge_id>{again.id(1)});
  again.book.checked(again.id(1), service_of(1), "timeout", when(6));
  CHECK(again.edge(1).state == liveness::port_dead);
}

TEST_CASE("nothing comes in by a record that could not have been accepted here", "[mapping][registry][adopt]") {
  backbone b;
  edge_record r;
  r.edge = name_of(1);
  r.sequence = 1;
  r.accepted_by = "b2";
  r.registered = when(0);
  r.expires = when(100'000);  // a clock that is far ahead
  r.addresses = {service_of(1)};
  r.egresses = {{pre("8.8.8.8/32"), {}, when(0)},
                {pre("198.51.100.52/32"), {}, when(-6 * 3600)},
                {pre("198.51.100.53/32"), {}, when(90'000)}};
  CHECK(b.book.adopt(r, false, when(0)));
  CHECK(b.rows() == texts{"198.51.100.53/32: e1"});
  CHECK(b.edge(1).record.expires == when(3600));
  CHECK(b.edge(1).record.egresses[0].proved == when(0));

  edge_record over = r;
  over.edge = name_of(2);
  over.expires = when(-3600);
  CHECK_FALSE(b.book.adopt(over, true, when(0)));
  over.expires = when(-3599);  // over, but its sequence still counts
  CHECK(b.book.adopt(over, true, when(0)));
  CHECK(b.edge(2).state == liveness::expired);
  CHECK(b.edge(2).record.egresses.empty());
  CHECK(b.rows() == texts{"198.51.100.53/32: e1"});
}

TEST_CASE("nodes that exchange their records in any order have the same table", "[mapping][registry][adopt][random]") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<edge_record> records;
    for (int i = 0; i < 60; ++i) {
      edge_record r;
      r.edge = name_of(1 + static_cast<unsigned>(random() % 6));
      r.sequence = 1 + random() % 12;  // also the same number from both nodes
      r.accepted_by = random() % 2 == 0 ? "b1" : "b2";
      r.registered = when(0);
      r.expires = when(100 + static_cast<long>(random() % 3) * 100);
      r.withdrawn = random() % 5 == 0;
      if (!r.withdrawn) {
        r.addresses = {at("192.0.2.9")};
        for (int e = 0; e < 6; ++e)
          if (random() % 2 == 0)
            r.egresses.push_back(
                {pre("198.51.100." + std::to_string(e)),
                 random() % 2 == 0 ? std::nullopt : std::optional(std::chrono::microseconds(random() % 3)),
                 when(-static_cast<long>(random() % 100))});
      }
      // One registration is one: what a node has accepted under a number, it has accepted once.
      const auto same = std::find_if(records.begin(), records.end(), [&](const edge_record& o) {
        return o.edge == r.edge && o.sequence == r.sequence && o.accepted_by == r.accepted_by;
      });
      if (same != records.end()) {
        r = *same;
        for (egress_record& e : r.egresses) e.proved = when(-static_cast<long>(random() % 100));
      }
      records.push_back(r);
    }
    backbone nodes[]{backbone(settings_of("b1")), backbone(settings_of("b2")), backbone(settings_of("b3"))};
    for (backbone& node : nodes) {
      auto order = records;
      order.insert(order.end(), records.begin(), records.begin() + 20);
      std::shuffle(order.begin(), order.end(), random);
      for (const edge_record& r : order) node.book.adopt(r, random() % 2 == 0, when(1));
    }
    for (const backbone& node : nodes) {
      REQUIRE(node.rows() == nodes[0].rows());
      for (unsigned e = 1; e <= 6; ++e) {
        const edge_state* here = node.book.find(name_of(e));
        const edge_state* there = nodes[0].book.find(name_of(e));
        REQUIRE((here == nullptr) == (there == nullptr));
        if (here == nullptr) continue;
        REQUIRE(here->record == there->record);
        for (const egress_record& egress : here->record.egresses) {
          const row* of = node.book.rows().at(egress.who);
          REQUIRE(std::any_of(of->claims.begin(), of->claims.end(),
                              [&](const claim& c) { return c.edge == here->id && c.proved == egress.proved; }));
        }
      }
      REQUIRE(node.book.next_expiry() == nodes[0].book.next_expiry());
    }
  }
}

}  // namespace nearside::mapping
