// SPDX-License-Identifier: BSD-2-Clause
// Messages at the registry: who may say what, what is believed, and in which order.
#include "agent/mapping/registry.hpp"

#include <catch2/catch.hpp>

#include "agent/mapping/public_resolvers.hpp"
#include "unit/mapping/registry_fixture.hpp"

namespace nearside::mapping {
namespace {

TEST_CASE("a registration is answered with the lease and what nonces are made of", "[mapping][registry]") {
  backbone b;
  const registered answer = b.register_edge(1, {}, when(0));
  CHECK(answer.lifetime == 300s);
  CHECK(answer.nonce_zone == "b1.who.lb.example.com.");
  CHECK(answer.nonce_key == key_of_edge(b.settings.master, name_of(1)));
  CHECK(answer.nonce_edge == b.id(1));
  CHECK(answer.default_servers.empty());
  CHECK(b.edge(1).record.accepted_by == "b1");
  CHECK(b.edge(1).record.registered == when(0));
  CHECK(b.edge(1).record.expires == when(300));
}

TEST_CASE("a lease is no longer than the longest", "[mapping][registry]") {
  registry_settings s = settings_of("b1");
  s.claims.longest_lease = 120s;
  backbone b(s);
  CHECK(b.register_edge(1, {}, when(0)).lifetime == 120s);
  auto renewal = b.message(1);
  CHECK(std::get<registered>(b.book.renew(certificate(1), renewal, when(60))).lifetime == 120s);
  CHECK(b.edge(1).record.expires == when(180));
}

TEST_CASE("an edge may use only the names and addresses of its certificate", "[mapping][registry][certificate]") {
  backbone b;
  b.usual(2, {"198.51.100.2"}, when(0));
  const auto no = refusal_in(b.book.accept(certificate(1), b.message(2), when(1)));
  CHECK(no.why == refusal::not_allowed);
  CHECK(no.detail == "the certificate is not for e2.ns.lb.example.com.");
  CHECK(refusal_in(b.book.renew(certificate(1), b.message(2), when(1))).why == refusal::not_allowed);
  CHECK(refusal_in(b.book.withdraw(certificate(1), name_of(2), ++b.sequence, when(1))).why == refusal::not_allowed);
  CHECK(refusal_in(b.book.take(certificate(1), {name_of(2), ++b.sequence, {}}, when(1))).why == refusal::not_allowed);
  CHECK(refusal_in(b.book.accept({}, b.message(2), when(1))).why == refusal::not_allowed);
  CHECK(b.rows() == texts{"198.51.100.2/32: e2"});

  credentials bound{{name_of(1), name_of(3)}, {at("192.0.2.1"), at("2001:db8::1")}};
  CHECK(done(b.book.accept(bound, b.message(1), when(1))));
  auto elsewhere = b.message(1);
  elsewhere.addresses.push_back(at("192.0.2.7"));
  CHECK(refusal_in(b.book.accept(bound, elsewhere, when(1))).detail == "the certificate is not for 192.0.2.7");
  CHECK(b.edge(1).record.addresses == std::vector<address>{at("192.0.2.1")});
  CHECK(b.book.count().refused[static_cast<std::size_t>(refusal::not_allowed)] == 6);
}

TEST_CASE("service addresses are those of hosts that resolvers can reach", "[mapping][registry]") {
  for (const char* text : {"127.0.0.1", "::1", "fe80::1", "169.254.1.1", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
                           "255.255.255.255", "::ffff:192.0.2.1"}) {
    CAPTURE(text);
    backbone b;
    auto m = b.message(1);
    m.addresses.push_back(at(text));
    CHECK(refusal_in(b.book.accept(certificate(1), m, when(0))).why == refusal::malformed);
    CHECK(b.book.find(name_of(1)) == nullptr);
  }
  registry_settings s = settings_of("b1");
  s.local_addresses = true;
  backbone b(s);
  auto m = b.message(1);
  m.addresses = {at("127.0.0.1")};
  CHECK(done(b.book.accept(certificate(1), m, when(0))));
}

TEST_CASE("a message beyond the bounds is refused as a whole", "[mapping][registry][bounds]") {
  backbone b;
  auto m = b.message(1);
  m.addresses.clear();
  CHECK(refusal_in(b.book.accept(certificate(1), m, when(0))).why == refusal::malformed);
  for (unsigned i = 1; i <= 9; ++i) m.addresses.push_back(service_of(i));
  CHECK(refusal_in(b.book.accept(certificate(1), m, when(0))).why == refusal::too_large);
  m.addresses.pop_back();
  m.egresses.resize(257, {at("198.51.100.53"), "", std::nullopt});
  CHECK(refusal_in(b.book.accept(certificate(1), m, when(0))).why == refusal::too_large);
  m.egresses.pop_back();
  CHECK(done(b.book.accept(certificate(1), m, when(0))));
}

TEST_CASE("no more edges are registered than there is room for", "[mapping][registry][bounds]") {
  registry_settings s = settings_of("b1");
  s.most_edges = 2;
  backbone b(s);
  b.register_edge(1, {}, when(0));
  b.register_edge(2, {}, when(0));
  CHECK(refusal_in(b.book.accept(certificate(3), b.message(3), when(0))).why == refusal::too_many);
  CHECK(refusal_in(b.book.withdraw(certificate(3), name_of(3), ++b.sequence, when(0))).why == refusal::too_many);
  CHECK(b.book.find(name_of(3)) == nullptr);
  b.register_edge(1, {}, when(1));  // who is known may go on
  SECTION("one whose lease has ended makes room") {
    b.book.expire(when(300));  // e2's
    b.register_edge(3, {}, when(300));
    CHECK(b.book.find(name_of(2)) == nullptr);
    CHECK(b.book.find(name_of(1)) != nullptr);
    CHECK(b.book.take_changes().forgotten == texts{name_of(2)});
  }
}

TEST_CASE("edges that claim one resolver are both in its row, the nearest first", "[mapping][registry]") {
  backbone b;
  for (const unsigned number : {3U, 2U, 1U, 10U}) b.register_edge(number, {}, when(0));
  const auto claim_it = [&](unsigned number, std::optional<std::chrono::microseconds> rtt) {
    const auto nonce = b.sight(number, "198.51.100.53", when(1));
    b.register_edge(number, {{at("198.51.100.53"), nonce, rtt}}, when(1));
  };
  claim_it(3, {});
  claim_it(10, {});
  claim_it(2, 900us);
  claim_it(1, 2000us);
  CHECK(b.rows() == texts{"198.51.100.53/32: e2 e1 e10 e3"});
  claim_it(1, 100us);
  CHECK(b.rows() == texts{"198.51.100.53/32: e1 e2 e10 e3"});
}

TEST_CASE("the operator's rows come after what is proved, and name edges that may never have registered",
          "[mapping][registry]") {
  backbone b;
  const edge_id known = b.book.number_of(name_of(5));
  CHECK(b.book.number_of(name_of(5)) == known);
  CHECK(b.edge(5).state == liveness::unregistered);
  CHECK_FALSE(b.book.alive(known));
  claim c;
  c.edge = known;
  c.from = source::table;
  b.book.rows().put(pre("198.51.100.0/24"), c);
  b.book.rows().put(pre("198.51.100.53/32"), c);
  b.usual(1, {"198.51.100.53"}, when(0));
  CHECK(b.rows() == texts{"198.51.100.0/24: e5", "198.51.100.53/32: e1 e5"});
  b.usual(5, {}, when(0));
  CHECK(b.id(5) == known);
  CHECK(b.book.alive(known));
  b.book.expire(when(300));
  b.book.expire(when(300 + 3600));  // forgotten, but for its number
  CHECK(b.book.find(name_of(5))->id == known);
  CHECK(b.edge(5).state == liveness::unregistered);
  CHECK(b.rows() == texts{"198.51.100.0/24: e5", "198.51.100.53/32: e5"});
}

TEST_CASE("a late or repeated message never undoes a newer one", "[mapping][registry][sequence]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  const auto late = b.message(1);  // made now, on its way for long
  const auto late_renewal = b.message(1);
  const auto late_withdrawal = ++b.sequence;
  const auto newest = b.message(1, {{at("198.51.100.53"), "", {}}});
  REQUIRE(done(b.book.accept(certificate(1), newest, when(10))));
  const auto no = refusal_in(b.book.accept(certificate(1), late, when(11)));
  CHECK(no.why == refusal::stale_sequence);
  CHECK(no.newest == newest.sequence);
  CHECK(refusal_in(b.book.accept(certificate(1), newest, when(11))).why == refusal::stale_sequence);
  CHECK(refusal_in(b.book.renew(certificate(1), late_renewal, when(11))).why == refusal::stale_sequence);
  CHECK(refusal_in(b.book.withdraw(certificate(1), name_of(1), late_withdrawal, when(11))).why ==
        refusal::stale_sequence);
  CHECK(b.rows() == texts{"198.51.100.53/32: e1"});
  CHECK(b.book.alive(b.id(1)));
  CHECK(b.book.count().refused[static_cast<std::size_t>(refusal::stale_sequence)] == 4);
}

TEST_CASE("a registration from before a withdrawal does not bring the edge back", "[mapping][registry][sequence]") {
  backbone b;
  b.usual(1, {"198.51.100.53"}, when(0));
  const auto late = b.message(1, {{at("198.51.100.53"), "", {}}});
  const auto late_renewal = b.message(1);
  REQUIRE(done(b.book.withdraw(certificate(1), name_of(1), ++b.sequence, when(1))));
  CHECK(b.rows().empty());
  CHECK(b.edge(1).state == liveness::withdrawn);
  CHECK(b.edge(1).record.addresses.empty());
  CHECK(b.edge(1).record.expires == when(300));
  for (const long later : {2L, 299L, 300L, 3000L}) {  // to the end of the lease, and for an hour after it
    b.book.expire(when(later));
    CHECK(refusal_in(b.book.accept(certificate(1), late, when(later))).why == refusal::stale_sequence);
    CHECK(refusal_in(b.book.renew(certificate(1), late_renewal, when(later))).why == refusal::stale_sequence);
  }
  CHECK(refusal_in(b.book.renew(certificate(1), b.message(1), when(3001))).why == refusal::unknown_edge);
  // A new one does.
  CHECK(done(b.book.accept(certificate(1), b.message(1), when(3002))));
  CHECK(b.edge(1).state == liveness::checking);
}

TEST_CASE("a withdrawal that comes before its edge's registration holds", "[mapping][registry][sequence]") {
  backbone b;
  const auto late = b.message(1);
  REQUIRE(done(b.book.withdraw(certificate(1), name_of(1), ++b.sequence, when(0))));
  CHECK(refusal_in(b.book.accept(certificate(1), late, when(1))).why == refusal::stale_sequence);
  CHECK(b.book.take_changes().records == std::vector<edge_id>{b.id(1)});
}

TEST_CASE("an edge's sequence is known for an hour after its lease", "[mapping][registry][sequence]") {
  backbone b;
  const auto first = b.message(1);
  REQUIRE(done(b.book.accept(certificate(1), first, when(0))));
  b.book.expire(when(300));
  CHECK(b.edge(1).state == liveness::expired);
  CHECK(refusal_in(b.book.accept(certificate(1), first, when(301))).why == refusal::stale_sequence);
  b.book.expire(when(3899));
  CHECK(b.book.find(name_of(1)) != nullptr);
  b.book.expire(when(3900));
  CHECK(b.book.find(name_of(1)) == nullptr);
  CHECK(b.book.take_changes().forgotten == texts{name_of(1)});
  CHECK_FALSE(b.book.next_expiry());
}

TEST_CASE("a renewal needs a lease that runs", "[mapping][registry]") {
  backbone b;
  CHECK(refusal_in(b.book.renew(certificate(1), b.message(1), when(0))).why == refusal::unknown_edge);
  b.usual(1, {"198.51.100.53"}, when(0));
  const auto answer = std::get<registered>(b.book.renew(certificate(1), b.message(1), when(100)));
  CHECK(answer.lifetime == 300s);
  CHECK(answer.egresses.empty());
  CHECK(answer.nonce_edge == b.id(1));
  CHECK(b.edge(1).record.expires == when(400));
  CHECK(b.rows() == texts{"198.51.100.53/32: e1"});
  // Also where nobody has called expire() yet.
  CHECK(refusal_in(b.book.renew(certificate(1), b.message(1), when(400))).why == refusal::unknown_edge);
  CHECK(b.book.count().renewed == 1);
}

TEST_CASE("reports have their own order, which registrations do not wait for", "[mapping][registry][sequence]") {
  backbone b;
  b.usual(1, {}, when(0));
  const auto overtaken = b.message(1);
  report r;
  r.servers = {"fra1"};
  const std::uint64_t newer = ++b.sequence + 1;
  REQUIRE(done(b.book.take(certificate(1), {name_of(1), newer, r}, when(1))));
  CHECK(done(b.book.accept(certificate(1), overtaken, when(2))));
  const auto no = refusal_in(b.book.take(certificate(1), {name_of(1), newer - 1, {}}, when(3)));
  CHECK(no.why == refusal::stale_sequence);
  CHECK(no.newest == newer);
  CHECK(refusal_in(b.book.take(certificate(1), {name_of(1), newer, {}}, when(3))).why == refusal::stale_sequence);
  CHECK(b.edge(1).reported == r);
  CHECK(b.edge(1).reported_at == when(1));
  CHECK(b.book.take_changes().reports == std::vector<edge_id>{b.id(1)});
  // A registration that is newer than the next report does not hinder it either.
  const std::uint64_t waiting = newer + 1;
  b.sequence = newer + 5;
  b.register_edge(1, {}, when(4));
  CHECK(done(b.book.take(certificate(1), {name_of(1), waiting, {}}, when(5))));
  CHECK(b.book.count().reported == 2);
}

TEST_CASE("reports are taken of edges whose lease runs, and go with it", "[mapping][registry][report]") {
  backbone b;
  report r;
  r.servers = {"fra1"};
  CHECK(refusal_in(b.book.take(certificate(1), {name_of(1), 1, r}, when(0))).why == refusal::unknown_edge);
  b.register_edge(1, {}, when(0));
  b.register_edge(2, {}, when(0));
  for (const unsigned number : {1U, 2U})
    REQUIRE(done(b.book.take(certificate(number), {name_of(number), 1, r}, when(1))));
  static_cast<void>(b.book.take_changes());
  REQUIRE(done(b.book.withdraw(certificate(1), name_of(1), ++b.sequence, when(2))));
  CHECK_FALSE(b.edge(1).reported);
  CHECK(b.book.take_changes().reports == std::vector<edge_id>{b.id(1)});
  CHECK(refusal_in(b.book.take(certificate(1), {name_of(1), 2, r}, when(3))).why == refusal::unknown_edge);
  b.book.expire(when(300));
  CHECK_FALSE(b.edge(2).reported);
  CHECK(b.book.take_changes().reports == std::vector<edge_id>{b.id(2)});
}

TEST_CASE("reports take no more memory than they may", "[mapping][registry][report][bounds]") {
  registry_settings s = settings_of("b1");
  s.most_reports = 20'000;
  backbone b(s);
  report big;
  big.servers.assign(100, std::string(100, 's'));  // about 15,000 octets
  for (const unsigned number : {1U, 2U}) b.register_edge(number, {}, when(0));
  CHECK(done(b.book.take(certificate(1), {name_of(1), 1, big}, when(0))));
  CHECK(refusal_in(b.book.take(certificate(2), {name_of(2), 1, big}, when(0))).why == refusal::too_many);
  CHECK_FALSE(b.edge(2).reported);
  CHECK(done(b.book.take(certificate(1), {name_of(1), 2, big}, when(0))));  // in place of its own
  REQUIRE(done(b.book.withdraw(certificate(1), name_of(1), ++b.sequence, when(1))));
  CHECK(done(b.book.take(certificate(2), {name_of(2), 2, big}, when(1))));
}

TEST_CASE("an answer tells the servers that the clients of the edge's rows get", "[mapping][registry]") {
  backbone b;
  b.book.tell_servers(
      [](const edge_state& edge, const prefix* who) -> texts {
        return {who == nullptr ? "default.example." : edge.record.edge, "d1.example."};
      },
      60);
  b.usual(1, {"198.51.100.53"}, when(0));
  const auto answer = std::get<registered>(b.book.renew(certificate(1), b.message(1), when(1)));
  CHECK(answer.ttl == 60);
  CHECK(answer.default_servers == texts{"default.example.", "d1.example."});
  CHECK(answer.servers == std::vector<served_by>{{pre("198.51.100.53/32"), {name_of(1), "d1.example."}}});
}

TEST_CASE("what the operator changes counts for what comes from then on", "[mapping][registry]") {
  backbone b;
  b.usual(1, {"198.51.100.53", "203.0.113.53"}, when(0));
  claim_settings claims = b.settings.claims;
  claims.public_resolvers = {pre("198.51.100.0/24")};
  claims.longest_lease = 100s;
  b.book.configure(claims);
  CHECK(b.rows() == texts{"198.51.100.53/32: e1", "203.0.113.53/32: e1"});
  const auto answer = b.register_edge(1, {{at("198.51.100.53"), "", {}}, {at("203.0.113.53"), "", {}}}, when(1));
  CHECK(answer.lifetime == 100s);
  CHECK(answer.egresses[0].reason == "public_resolver");
  CHECK(b.rows() == texts{"203.0.113.53/32: e1"});
}

}  // namespace
}  // namespace nearside::mapping
