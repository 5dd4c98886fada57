// SPDX-License-Identifier: BSD-2-Clause
// Egresses at the registry: which are believed, for how long, and what an edge may claim at all.
#include "agent/mapping/public_resolvers.hpp"
#include "agent/mapping/registry.hpp"
#include "unit/mapping/registry_fixture.hpp"

namespace nearside::mapping {

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

}  // namespace nearside::mapping
