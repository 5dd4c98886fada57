// SPDX-License-Identifier: BSD-2-Clause
// What time, DNS and port checks do to the registry, and what it tells of it.
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
