// SPDX-License-Identifier: BSD-2-Clause
// What time, DNS, port checks and other nodes do to the registry, and what it tells of it.
#include <catch2/catch.hpp>
#include <random>

#include "agent/mapping/registry.hpp"
#include "unit/mapping/registry_fixture.hpp"

namespace nearside::mapping {
namespace {

TEST_CASE("an edge is used when a service address has answered on port 53", "[mapping][registry][liveness]") {
  backbone b;
  auto m = b.message(1);
  m.addresses = {at("192.0.2.1"), at("2001:db8::1")};
  REQUIRE(done(b.book.accept(certificate(1), m, when(0))));
  static_cast<void>(b.book.take_changes());
  const edge_id id = b.id(1);
  CHECK(b.edge(1).state == liveness::checking);
  CHECK_FALSE(b.book.alive(id));
  // As long as nothing is known, all addresses are given: who asks for the edge's name shall get something.
  CHECK(addresses_to_give(b.edge(1)) == m.addresses);

  b.book.checked(id, at("192.0.2.1"), "timeout", when(1));
  CHECK(b.edge(1).state == liveness::checking);
  b.book.checked(id, at("2001:db8::1"), "refused", when(1));
  CHECK(b.edge(1).state == liveness::port_dead);
  CHECK(addresses_to_give(b.edge(1)) == m.addresses);
  CHECK(b.book.take_changes().liveness.empty());
  b.book.checked(id, at("2001:db8::1"), "", when(2));
  CHECK(b.book.alive(id));
  CHECK(addresses_to_give(b.edge(1)) == std::vector<address>{at("2001:db8::1")});
  CHECK(b.edge(1).services[0].reason == "timeout");
  CHECK(b.edge(1).services[1].checked == when(2));
  CHECK(b.book.take_changes().liveness == std::vector<edge_id>{id});
  b.book.checked(id, at("192.0.2.1"), "", when(3));
  CHECK(addresses_to_give(b.edge(1)) == m.addresses);
  CHECK(b.book.take_changes().liveness == std::vector<edge_id>{id});
  b.book.checked(id, at("192.0.2.1"), "", when(4));
  CHECK(b.book.take_changes().liveness.empty());
  b.book.checked(id, at("192.0.2.1"), "timeout", when(5));
  b.book.checked(id, at("2001:db8::1"), "timeout", when(5));
  CHECK(b.edge(1).state == liveness::port_dead);
  CHECK(b.book.take_changes().liveness == std::vector<edge_id>{id});
  // What nobody asked about does nothing.
  b.book.checked(id, at("192.0.2.99"), "", when(6));
  b.book.checked(4711, at("192.0.2.1"), "", when(6));
  CHECK_FALSE(b.book.alive(id));
}

TEST_CASE("what was known of an address stays with it over registrations, and a new one is asked first",
          "[mapping][registry][liveness]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  b.register_edge(1, {}, when(10));
  CHECK(b.book.alive(b.id(1)));
  static_cast<void>(b.book.take_changes());
  auto moved = b.message(1);
  moved.addresses = {at("192.0.2.99")};
  REQUIRE(done(b.book.accept(certificate(1), moved, when(11))));
  CHECK(b.edge(1).state == liveness::checking);
  CHECK(b.book.take_changes().liveness == std::vector<edge_id>{b.id(1)});
}

TEST_CASE("a lease ends, and with it all that the edge had", "[mapping][registry][time]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  b.usual(2, {"198.51.100.53"}, when(10));
  CHECK(b.book.next_expiry() == when(300));
  static_cast<void>(b.book.take_changes());
  b.book.expire(when(299));
  CHECK(b.book.alive(b.id(1)));
  b.book.expire(when(300));
  CHECK_FALSE(b.book.alive(b.id(1)));
  CHECK(b.edge(1).state == liveness::expired);
  CHECK(b.rows() == texts{"198.51.100.53/32: e2"});
  const auto told = b.book.take_changes();
  CHECK(told.liveness == std::vector<edge_id>{b.id(1)});
  CHECK(told.records.empty());  // others see the time pass themselves
  CHECK(told.rows.rows.size() == 1);
  CHECK(b.book.next_expiry() == when(310));
  b.book.expire(when(310));
  CHECK(b.book.rows().size() == 0);
  CHECK(b.book.next_expiry() == when(300 + 3600));
}

TEST_CASE("a row that no nonce proves any longer ages out, and each nonce makes it new", "[mapping][registry][time]") {
  registry_settings s = settings_of("b1");
  s.claims.row_age = 1000s;
  backbone b(s);
  b.usual(1, {"198.51.100.53", "198.51.100.54"}, when(0));
  auto renewal = b.message(1);
  renewal.lifetime = 3600s;
  REQUIRE(done(b.book.renew(certificate(1), renewal, when(1))));
  CHECK(b.book.next_expiry() == when(1000));
  b.sight(1, "198.51.100.54", when(400));
  CHECK(b.book.next_expiry() == when(1000));
  CHECK(b.book.rows().at(pre("198.51.100.54/32"))->claims[0].proved == when(400));
  b.book.expire(when(999));
  CHECK(b.book.rows().size() == 2);
  b.book.expire(when(1000));
  CHECK(b.rows() == texts{"198.51.100.54/32: e1"});
  CHECK(b.edge(1).record.egresses.size() == 1);
  CHECK(b.book.next_expiry() == when(1400));
  b.sight(1, "198.51.100.54", when(1300));
  CHECK(b.book.next_expiry() == when(2300));
  // A registration does not make it new.
  b.register_edge(1, {{at("198.51.100.54"), "", {}}}, when(1301));
  renewal = b.message(1);
  renewal.lifetime = 3600s;
  REQUIRE(done(b.book.renew(certificate(1), renewal, when(1302))));
  b.book.expire(when(2300));
  CHECK(b.book.rows().size() == 0);
  CHECK(b.book.alive(b.id(1)));
  CHECK(b.book.next_expiry() == when(1302 + 3600));
}

TEST_CASE("that an edge need not be asked any more is told, also of one whose port was dead",
          "[mapping][registry][time]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  b.usual(2, {"198.51.100.54"}, when(0));
  b.book.checked(b.id(1), service_of(1), "timeout", when(10));
  CHECK(is_asked(b.edge(1).state));
  static_cast<void>(b.book.take_changes());
  b.book.expire(when(300));
  CHECK(b.edge(1).state == liveness::expired);
  CHECK_FALSE(is_asked(b.edge(1).state));
  CHECK(b.book.take_changes().liveness == std::vector<edge_id>{b.id(1), b.id(2)});
}

TEST_CASE("a nonce that is asked for again proves nothing new", "[mapping][registry][time]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  const nonce again{b.id(1), b.counter};
  b.book.sighted(again, at("198.51.100.53"), when(200));
  CHECK(b.book.rows().at(pre("198.51.100.53/32"))->claims[0].proved == when(0));
  CHECK(b.book.count().sightings == 1);
}

TEST_CASE("proofs are told with the record, but not each of them", "[mapping][registry][changes]") {
  registry_settings s = settings_of("b1");
  s.claims.row_age = 1600s;
  backbone b(s);
  b.usual(1, {"198.51.100.53"}, when(0));
  CHECK(b.book.take_changes().records == std::vector<edge_id>{b.id(1)});
  b.sight(1, "198.51.100.53", when(99));
  CHECK(b.book.take_changes().records.empty());
  b.sight(1, "198.51.100.53", when(100));
  CHECK(b.book.take_changes().records == std::vector<edge_id>{b.id(1)});
  b.sight(1, "198.51.100.53", when(199));
  CHECK(b.book.take_changes().records.empty());
}

TEST_CASE("each change is told once", "[mapping][registry][changes]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  b.usual(1, {"198.51.100.53"}, when(1));
  auto told = b.book.take_changes();
  CHECK(told.records == std::vector<edge_id>{b.id(1)});
  CHECK(told.liveness == std::vector<edge_id>{b.id(1)});
  CHECK(told.rows.rows.size() == 1);
  CHECK(told.rows.new_sites.size() == 1);
  told = b.book.take_changes();
  CHECK(told.records.empty());
  CHECK(told.liveness.empty());
  CHECK(told.reports.empty());
  CHECK(told.forgotten.empty());
  CHECK(told.rows.rows.empty());
  REQUIRE(done(b.book.renew(certificate(1), b.message(1), when(2))));
  told = b.book.take_changes();
  CHECK(told.records == std::vector<edge_id>{b.id(1)});
  CHECK(told.liveness.empty());
  CHECK(told.rows.rows.empty());
}

TEST_CASE("the number of an edge that was forgotten is used again after that was told",
          "[mapping][registry][changes]") {
  registry_settings s = settings_of("b1");
  s.remembered = 0s;
  backbone b(s);
  b.register_edge(1, {}, when(0));
  const edge_id first = b.id(1);
  b.book.expire(when(300));
  CHECK(b.book.find(first) == nullptr);
  b.register_edge(2, {}, when(300));
  CHECK(b.id(2) != first);
  CHECK(b.book.take_changes().forgotten == texts{name_of(1)});
  b.register_edge(3, {}, when(300));
  CHECK(b.id(3) == first);
}

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

TEST_CASE("after any messages, the rows are those of the edges whose lease runs", "[mapping][registry][random]") {
  registry_settings s = settings_of("b1");
  s.claims.row_age = 400s;
  s.remembered = 100s;
  backbone b(s);
  std::mt19937 random(5);
  long now = 0;
  for (int step = 0; step < 5000; ++step) {
    now += static_cast<long>(random() % 20);
    const unsigned number = 1 + static_cast<unsigned>(random() % 8);
    const std::string egress = "198.51.100." + std::to_string(random() % 5);
    switch (random() % 6) {
      case 0:
      case 1: {
        std::vector<egress_claim> claims{{at(egress), "", {}}, {at("198.51.100.77"), "", 5us}};
        const edge_state* known = b.book.find(name_of(number));
        if (known != nullptr && (known->state == liveness::alive || known->state == liveness::checking)) {
          claims[0].nonce = b.sight(number, egress, when(now));
          claims[1].nonce = b.sight(number, "198.51.100.77", when(now));
        }
        static_cast<void>(b.book.accept(certificate(number), b.message(number, claims), when(now)));
        break;
      }
      case 2: static_cast<void>(b.book.renew(certificate(number), b.message(number), when(now))); break;
      case 3:
        if (random() % 3 == 0)
          static_cast<void>(b.book.withdraw(certificate(number), name_of(number), ++b.sequence, when(now)));
        break;
      case 4:
        if (const edge_state* known = b.book.find(name_of(number)))
          b.book.checked(known->id, service_of(number), random() % 3 == 0 ? "timeout" : "", when(now));
        break;
      default: static_cast<void>(b.book.take_changes());
    }
    b.book.expire(when(now));
    const auto next = b.book.next_expiry();
    REQUIRE((!next || *next > when(now)));
    std::optional<instant> first;
    const auto due = [&](instant at) { first = first ? std::min(*first, at) : at; };
    std::size_t claims = 0;
    b.book.for_each([&](const edge_state& e) {
      const bool runs = !e.record.withdrawn && e.record.expires > when(now);
      REQUIRE((runs || e.record.egresses.empty()));
      REQUIRE((e.state == liveness::alive) == (runs && e.services[0].answers));
      due(runs ? e.record.expires : e.record.expires + 100s);
      for (const egress_record& r : e.record.egresses) {
        due(r.proved + 400s);
        const row* of = b.book.rows().at(r.who);
        REQUIRE(of != nullptr);
        REQUIRE(std::any_of(of->claims.begin(), of->claims.end(),
                            [&](const claim& c) { return c.edge == e.id && c.proved == r.proved && c.rtt == r.rtt; }));
        ++claims;
      }
    });
    std::size_t in_rows = 0;
    b.book.rows().for_each([&](const row& r) { in_rows += r.claims.size(); });
    REQUIRE(in_rows == claims);
    REQUIRE(next == first);
  }
  CHECK(b.book.count().registered > 1000);
  CHECK(b.book.count().withdrawn > 100);
}

}  // namespace
}  // namespace nearside::mapping
