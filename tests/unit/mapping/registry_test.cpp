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

TEST_CASE("an egress counts where a nonce of the edge was seen from it", "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  const std::string v4 = b.sight(1, "198.51.100.53", when(1));
  const std::string v6 = b.sight(1, "2001:db8:1::53", when(2));
  const registered answer =
      b.register_edge(1, {{at("198.51.100.53"), v4, 1200us}, {at("2001:db8:1::53"), v6, {}}}, when(3));
  CHECK(answer.egresses ==
        std::vector<egress_verdict>{{at("198.51.100.53"), true, ""}, {at("2001:db8:1::53"), true, ""}});
  CHECK(b.rows() == texts{"198.51.100.53/32: e1", "2001:db8:1::/64: e1"});
  const claim& c = b.book.rows().at(pre("198.51.100.53/32"))->claims[0];
  CHECK(c.rtt == 1200us);
  CHECK(c.proved == when(1));
  CHECK(c.from == source::proved);
  CHECK(b.book.count().sightings == 2);
}

TEST_CASE("an egress without proof is refused with the reason, and the rest is taken", "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  b.register_edge(2, {}, when(0));
  const std::string good = b.sight(1, "198.51.100.53", when(1));
  const std::string of_e2 = b.sight(2, "198.51.100.54", when(1));
  std::string forged = good;
  forged.back() = forged.back() == '0' ? '4' : '0';
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {"198.51.100.54", of_e2, "bad_nonce"},          // another edge's
      {"198.51.100.53", forged, "bad_nonce"},         // nobody's
      {"198.51.100.53", "www", "bad_nonce"},          // no nonce at all
      {"198.51.100.54", good, "not_seen"},            // seen from elsewhere
      {"198.51.100.53", b.label(1, 77), "not_seen"},  // the edge's, but never asked for
      {"198.51.100.53", "", "not_seen"},              // none, and not known before
      {"8.8.8.8", b.sight(1, "8.8.8.8", when(1)), "public_resolver"},
      {"2001:4860:4860::8888", b.sight(1, "2001:4860:4860::8888", when(1)), "public_resolver"},
      {"224.0.0.1", good, "not_allowed"}};
  for (const auto& [egress, nonce, reason] : cases) {
    CAPTURE(egress, reason);
    const auto answer = b.register_edge(1, {{at(egress), nonce, {}}}, when(2));
    CHECK(answer.egresses == std::vector<egress_verdict>{{at(egress), false, reason}});
    CHECK(b.rows().empty());
  }
  CHECK(b.book.count().egresses_refused == cases.size());
  const auto answer = b.register_edge(1, {{at("198.51.100.54"), of_e2, {}}, {at("198.51.100.53"), good, {}}}, when(2));
  CHECK_FALSE(answer.egresses[0].accepted);
  CHECK(answer.egresses[1].accepted);
  CHECK(b.rows() == texts{"198.51.100.53/32: e1"});
}

TEST_CASE("well-known public resolvers are known", "[mapping][registry][egress]") {
  const auto& all = well_known_public_resolvers();
  for (const char* text : {"8.8.8.8", "1.1.1.1", "9.9.9.9", "208.67.222.222", "94.140.14.14", "2606:4700:4700::1111",
                           "2001:4860:4860::8888", "2620:fe::fe", "2620:119:35::35", "2a10:50c0::ad1:ff"}) {
    CAPTURE(text);
    CHECK(std::any_of(all.begin(), all.end(), [&](const prefix& p) { return contains(p, at(text)); }));
  }
  for (const char* text : {"192.0.2.1", "198.51.100.1", "203.0.113.1", "10.0.0.1", "2001:db8::1"})
    CHECK(std::none_of(all.begin(), all.end(), [&](const prefix& p) { return contains(p, at(text)); }));
}

TEST_CASE("a sighting proves for ten minutes", "[mapping][registry][egress]") {
  for (const long later : {600L, 601L}) {
    backbone b;
    b.register_edge(1, {}, when(0));
    const std::string nonce = b.sight(1, "198.51.100.53", when(0));
    auto renewal = b.message(1);
    renewal.lifetime = 3600s;
    REQUIRE(done(b.book.renew(certificate(1), renewal, when(1))));
    const auto answer = b.register_edge(1, {{at("198.51.100.53"), nonce, {}}}, when(later));
    CHECK(answer.egresses[0].accepted == (later == 600));
    CHECK(answer.egresses[0].reason == (later == 600 ? "" : "not_seen"));
  }
}

TEST_CASE("the last four nonces of an egress count", "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  texts nonces;
  for (long i = 0; i < 5; ++i) nonces.push_back(b.sight(1, "198.51.100.53", when(i)));
  CHECK(b.register_edge(1, {{at("198.51.100.53"), nonces[0], {}}}, when(9)).egresses[0].reason == "not_seen");
  CHECK(b.register_edge(1, {{at("198.51.100.53"), nonces[1], {}}}, when(9)).egresses[0].accepted);
  CHECK(b.register_edge(1, {{at("198.51.100.53"), nonces[4], {}}}, when(9)).egresses[0].accepted);
  // Those of other egresses do not take their places.
  for (long i = 0; i < 9; ++i) b.sight(1, "198.51.100.54", when(9 + i));
  CHECK(b.register_edge(1, {{at("198.51.100.53"), nonces[1], {}}}, when(20)).egresses[0].accepted);
}

TEST_CASE("a label in the case in which a resolver sends it is the edge's", "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  std::string upper = b.sight(1, "198.51.100.53", when(0));
  for (char& c : upper)
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  CHECK(b.book.verified(upper));
  CHECK(b.register_edge(1, {{at("198.51.100.53"), upper, {}}}, when(9)).egresses[0].accepted);
}

TEST_CASE("a label is verified while its edge's lease runs", "[mapping][registry][egress]") {
  backbone b;
  b.usual(1, {}, when(0));
  b.register_edge(2, {}, when(0));
  const std::string label = b.label(1, 7);
  CHECK(b.book.verified(label) == nonce{b.id(1), 7});
  CHECK_FALSE(b.book.verified("www"));
  CHECK_FALSE(b.book.verified(label_of({b.id(2), 7}, key_of_edge(b.settings.master, name_of(1)))));
  CHECK_FALSE(b.book.verified(label_of({4711, 7}, key_of_edge(b.settings.master, name_of(1)))));
  REQUIRE(done(b.book.withdraw(certificate(1), name_of(1), ++b.sequence, when(1))));
  CHECK_FALSE(b.book.verified(label));
  b.book.expire(when(300));
  CHECK_FALSE(b.book.verified(b.label(2, 7)));
  b.book.sighted({b.id(2), 7}, at("198.51.100.53"), when(301));
  b.book.sighted({4711, 7}, at("198.51.100.53"), when(301));
  CHECK(b.book.count().sightings == 0);
}

TEST_CASE("nonces are kept of so many egresses of an edge", "[mapping][registry][egress][bounds]") {
  registry_settings s = settings_of("b1");
  s.most_sightings = 3;
  backbone b(s);
  b.register_edge(1, {}, when(0));
  texts nonces;
  for (int i = 0; i < 3; ++i) nonces.push_back(b.sight(1, "198.51.100." + std::to_string(i), when(i)));
  nonces[0] = b.sight(1, "198.51.100.0", when(3));  // now 1 is the oldest
  b.sight(1, "198.51.100.3", when(4));
  std::vector<egress_claim> claims;
  for (int i = 0; i < 3; ++i)
    claims.push_back({at("198.51.100." + std::to_string(i)), nonces[static_cast<std::size_t>(i)], {}});
  const auto answer = b.register_edge(1, claims, when(5));
  CHECK(answer.egresses[0].accepted);
  CHECK_FALSE(answer.egresses[1].accepted);
  CHECK(answer.egresses[2].accepted);
}

TEST_CASE("an egress that the edge has stays without a new nonce, as old as it is", "[mapping][registry][egress]") {
  backbone b;
  b.usual(1, {"198.51.100.53", "198.51.100.54"}, when(0));
  auto renewal = b.message(1);
  renewal.lifetime = 3600s;
  REQUIRE(done(b.book.renew(certificate(1), renewal, when(1))));
  const auto answer = b.register_edge(1, {{at("198.51.100.53"), "", 700us}}, when(1000));
  CHECK(answer.egresses[0].accepted);
  CHECK(b.rows() == texts{"198.51.100.53/32: e1"});
  CHECK(b.edge(1).record.egresses == std::vector<egress_record>{{pre("198.51.100.53/32"), 700us, when(0)}});
  // What is no longer claimed is gone, and needs a proof to come back.
  CHECK(b.register_edge(1, {{at("198.51.100.54"), "", {}}}, when(1001)).egresses[0].reason == "not_seen");
}

TEST_CASE("an egress whose row is over its age does not stay, whenever expire() was called last",
          "[mapping][registry][egress]") {
  registry_settings s = settings_of("b1");
  s.claims.row_age = 200s;
  backbone b(s);
  b.usual(1, {"198.51.100.53"}, when(0));
  CHECK(b.register_edge(1, {{at("198.51.100.53"), "", {}}}, when(199)).egresses[0].accepted);
  CHECK(b.register_edge(1, {{at("198.51.100.53"), "", {}}}, when(200)).egresses[0].reason == "not_seen");
}

TEST_CASE("an edge that comes back proves its egresses anew", "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  const std::string nonce = b.sight(1, "198.51.100.53", when(1));
  SECTION("after a withdrawal") { REQUIRE(done(b.book.withdraw(certificate(1), name_of(1), ++b.sequence, when(2)))); }
  SECTION("after the end of its lease") { b.book.expire(when(300)); }
  b.register_edge(1, {}, when(301));
  CHECK(b.register_edge(1, {{at("198.51.100.53"), nonce, {}}}, when(302)).egresses[0].reason == "not_seen");
}

TEST_CASE("a nonce that names the number of another start of the backbone node proves as well",
          "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  b.register_edge(2, {}, when(0));
  b.sight(2, "198.51.100.53", when(1));
  const std::string of_before = label_of({0, b.counter}, key_of_edge(b.settings.master, name_of(2)));
  CHECK(b.register_edge(2, {{at("198.51.100.53"), of_before, {}}}, when(2)).egresses[0].accepted);
}

TEST_CASE("two egresses of one /64 are one row, with the newest proof and the shortest way",
          "[mapping][registry][egress]") {
  backbone b;
  b.register_edge(1, {}, when(0));
  const std::string first = b.sight(1, "2001:db8:1::1", when(5));
  const std::string second = b.sight(1, "2001:db8:1::2", when(3));
  const auto answer =
      b.register_edge(1, {{at("2001:db8:1::1"), first, 900us}, {at("2001:db8:1::2"), second, 800us}}, when(6));
  CHECK(answer.egresses[0].accepted);
  CHECK(answer.egresses[1].accepted);
  CHECK(b.edge(1).record.egresses == std::vector<egress_record>{{pre("2001:db8:1::/64"), 800us, when(5)}});
}

TEST_CASE("a registration's egresses are all that the edge has from then on", "[mapping][registry]") {
  backbone b;
  b.usual(1, {"198.51.100.53", "198.51.100.54"}, when(0));
  b.usual(2, {"198.51.100.54"}, when(0));
  const std::string nonce = b.sight(1, "203.0.113.53", when(10));
  b.register_edge(1, {{at("203.0.113.53"), nonce, {}}}, when(10));
  CHECK(b.rows() == texts{"198.51.100.54/32: e2", "203.0.113.53/32: e1"});
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

TEST_CASE("an edge that the operator has bound to prefixes can claim nothing else", "[mapping][registry][egress]") {
  registry_settings s = settings_of("b1");
  s.claims.egresses_of[name_of(1)] = {pre("198.51.100.0/24")};
  backbone b(s);
  b.register_edge(1, {}, when(0));
  b.register_edge(2, {}, when(0));
  const auto claims = [&](unsigned number) {
    const std::vector<egress_claim> both{{at("198.51.100.9"), b.sight(number, "198.51.100.9", when(1)), std::nullopt},
                                         {at("203.0.113.9"), b.sight(number, "203.0.113.9", when(1)), std::nullopt}};
    return b.register_edge(number, both, when(1)).egresses;
  };
  const auto bound = claims(1);
  CHECK(bound.at(0).accepted);
  CHECK_FALSE(bound.at(1).accepted);
  CHECK(bound.at(1).reason == "not_allowed");
  const auto free = claims(2);
  CHECK(free.at(1).accepted);
  CHECK(b.rows() == texts{"198.51.100.9/32: e1 e2", "203.0.113.9/32: e2"});
}

TEST_CASE("an edge that is bound to an IPv6 address has its row at other nodes too", "[mapping][registry][egress]") {
  registry_settings s = settings_of("b1");
  s.claims.egresses_of[name_of(1)] = {pre("2001:db8:1::53/128")};
  backbone b(s);
  b.usual(1, {"2001:db8:1::53", "2001:db8:2::53"}, when(0));
  CHECK(b.rows() == texts{"2001:db8:1::/64: e1"});
  s.node = "b2";
  backbone other(s);
  CHECK(other.book.adopt(b.edge(1).record, false, when(1)));
  CHECK(other.rows() == texts{"2001:db8:1::/64: e1"});
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
