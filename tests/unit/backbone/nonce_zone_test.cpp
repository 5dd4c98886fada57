// SPDX-License-Identifier: BSD-2-Clause
// The nonce zone as resolvers and edges see it.
#include "agent/mapping/nonce.hpp"
#include "fixture.hpp"

namespace nearside::backbone {

namespace {

const std::string apex = "b1.who.lb.example.com";

struct who : node {
  who() {
    nonce_zone_settings s;
    s.apex = dns::name::from_text(apex).value();
    s.server = dns::name::from_text("b1.ns.lb.example.com").value();
    s.mailbox = dns::name::from_text("hostmaster.lb.example.com").value();
    s.addresses = {at("192.0.2.251"), at("2001:db8::251")};
    s.master = book.settings.master;
    dir().serve(std::make_shared<nonce_zone>(s, book.book, [this] { return now; }));
    edge(1);
    label = book.label(1, 7);
  }

  std::uint64_t sightings() const { return book.book.count().sightings; }
  /// Where the CNAME of the only answer leads, without the final dot.
  std::string target_of(const dns::reply& r) const {
    REQUIRE(r.answer.size() == 1);
    const auto at_name = r.answer[0].find(" 0 CNAME ");
    REQUIRE(at_name != std::string::npos);
    const std::string name = r.answer[0].substr(at_name + 9);
    return name.substr(0, name.size() - 1);
  }

  std::string label;  // a nonce of e1
};

const std::string soa = apex + ". 0 SOA b1.ns.lb.example.com. hostmaster.lb.example.com. 1 3600 600 604800 0";

}  // namespace

TEST_CASE_METHOD(who, "a nonce is answered with a name that only who receives the answer knows", "[backbone][who]") {
  const auto before = sightings();
  const auto r = ask(label + "." + apex, "198.51.100.53");
  CHECK(r.aa);
  CHECK(r.code == 0);
  const std::string target = target_of(r);
  CHECK(target.ends_with("." + label + "." + apex));
  CHECK(sightings() == before);
}

TEST_CASE_METHOD(who, "the second query proves the egress, and is answered with it in A and TXT, TTL 0",
                 "[backbone][who]") {
  const auto before = sightings();
  const std::string target = target_of(ask(label + "." + apex, "198.51.100.53"));
  CHECK(ask(target, "198.51.100.53").answer == strings{target + ". 0 A 198.51.100.53"});
  CHECK(sightings() == before + 1);
  CHECK(ask(target, "198.51.100.53", dns::rr_type::txt).answer == strings{target + ". 0 TXT \"198.51.100.53\""});
  const auto other = ask(target, "198.51.100.53", dns::rr_type::aaaa);
  CHECK(other.answer.empty());
  CHECK(other.authority == strings{soa});
  // So the edge may now register that egress.
  const auto answered = book.register_edge(1, {{at("198.51.100.53"), label, std::nullopt}}, now);
  CHECK(answered.egresses.at(0).accepted);
}

TEST_CASE_METHOD(who, "a forged source proves nothing for who has not seen the answer", "[backbone][who]") {
  ask(label + "." + apex, "203.0.113.66");
  const auto before = sightings();
  const auto r = ask("aaaaaaaaaaaaaaaaaaaa." + label + "." + apex, "203.0.113.66");
  CHECK(r.code == 3);
  CHECK(r.authority == strings{soa});
  CHECK(sightings() == before);
}

TEST_CASE_METHOD(who, "what is proved is the first query's address, whoever of the farm asks the second",
                 "[backbone][who]") {
  const std::string target = target_of(ask(label + "." + apex, "198.51.100.53"));
  CHECK(ask(target, "198.51.100.54").answer == strings{target + ". 0 A 198.51.100.53"});
}

TEST_CASE_METHOD(who, "a token is good for its nonce alone, and for two minutes at most", "[backbone][who]") {
  const std::string target = target_of(ask(label + "." + apex, "198.51.100.53"));
  const std::string token = target.substr(0, target.find('.'));
  CHECK(ask(token + "." + book.label(1, 8) + "." + apex, "198.51.100.53").code == 3);
  now += 121s;
  CHECK(ask(target, "198.51.100.53").code == 3);
}

TEST_CASE_METHOD(who, "a nonce that nobody made tells who asks, and proves nothing", "[backbone][who]") {
  const auto before = sightings();
  std::string forged = label;
  forged.back() = forged.back() == 'a' ? 'b' : 'a';
  forged[20] = forged[20] == 'a' ? 'b' : 'a';
  CHECK(ask(forged + "." + apex, "198.51.100.53").answer == strings{forged + "." + apex + ". 0 A 198.51.100.53"});
  CHECK(sightings() == before);
}

TEST_CASE_METHOD(who, "any other name tells the address that asks, at any depth", "[backbone][who]") {
  for (const std::string name : {"me", "a.b.c", "v5"})
    CHECK(ask(name + "." + apex, "198.51.100.53").answer == strings{name + "." + apex + ". 0 A 198.51.100.53"});
  CHECK(ask("me." + apex, "2001:db8::53", dns::rr_type::aaaa).answer ==
        strings{"me." + apex + ". 0 AAAA 2001:db8::53"});
  CHECK(ask("me." + apex, "2001:db8::53", dns::rr_type::txt).answer ==
        strings{"me." + apex + ". 0 TXT \"2001:db8::53\""});
  CHECK(ask("me." + apex, "2001:db8::53").authority == strings{soa});
  CHECK(ask("me." + apex, "198.51.100.53", dns::rr_type::mx).authority == strings{soa});
}

TEST_CASE_METHOD(who, "names are answered in the letters in which they were asked", "[backbone][who]") {
  const auto r = ask("mE.B1.whO.lb.example.com", "198.51.100.53");
  CHECK(r.answer == strings{"mE.B1.whO.lb.example.com. 0 A 198.51.100.53"});
  std::string mixed = label;
  for (std::size_t i = 0; i < mixed.size(); i += 2) mixed[i] = static_cast<char>(std::toupper(mixed[i]));
  const auto cname = ask(mixed + "." + apex, "198.51.100.53");
  CHECK(cname.answer.at(0).starts_with(mixed + "." + apex));
  std::string target = target_of(cname);
  for (std::size_t i = 1; i < target.size(); i += 3) target[i] = static_cast<char>(std::toupper(target[i]));
  CHECK(ask(target, "198.51.100.53").answer == strings{target + ". 0 A 198.51.100.53"});
}

TEST_CASE_METHOD(who, "the apex has SOA and NS, and nothing else", "[backbone][who]") {
  CHECK(ask(apex, "198.51.100.53", dns::rr_type::soa).answer == strings{soa});
  CHECK(ask(apex, "198.51.100.53", dns::rr_type::ns).answer == strings{apex + ". 60 NS b1.ns.lb.example.com."});
  CHECK(ask(apex, "198.51.100.53", dns::rr_type::any).answer == strings{apex + ". 60 NS b1.ns.lb.example.com."});
  const auto none = ask(apex, "198.51.100.53");
  CHECK(none.aa);
  CHECK(none.answer.empty());
  CHECK(none.authority == strings{soa});
}

TEST_CASE_METHOD(who, "DS of the apex is the parent's to answer", "[backbone][who]") {
  const auto r = ask(apex, "198.51.100.53", dns::rr_type::ds);
  CHECK(r.aa);
  REQUIRE(r.authority.size() == 1);
  CHECK(r.authority[0].starts_with("lb.example.com. 30 SOA"));
}

TEST_CASE_METHOD(who, "the name above the nonce zones is an empty non-terminal", "[backbone][who]") {
  const auto r = ask("who.lb.example.com", "198.51.100.53");
  CHECK(r.code == 0);
  CHECK(r.authority.at(0).starts_with("lb.example.com. 30 SOA"));
  CHECK(ask("b9.who.lb.example.com", "198.51.100.53").code == 3);
}

TEST_CASE_METHOD(who, "below v4 and v6 the right family is answered, with the SOA of that part", "[backbone][who]") {
  const std::string v4 = "v4." + apex;
  const auto r = ask("me." + v4, "198.51.100.53");
  CHECK(r.aa);
  CHECK(r.answer == strings{"me." + v4 + ". 0 A 198.51.100.53"});
  const auto no = ask("me." + v4, "198.51.100.53", dns::rr_type::aaaa);
  CHECK(no.authority.at(0).starts_with("v4." + apex + ". 0 SOA ns.v4." + apex + "."));
  CHECK(ask(v4, "198.51.100.53", dns::rr_type::soa).answer.at(0).starts_with("v4." + apex + ". 0 SOA"));
  const auto ns = ask(v4, "198.51.100.53", dns::rr_type::ns);
  CHECK(ns.answer == strings{v4 + ". 60 NS ns." + v4 + "."});
  CHECK(ns.additional == strings{"ns." + v4 + ". 60 A 192.0.2.251"});
}

TEST_CASE_METHOD(who, "below v4 and v6 the wrong family is referred to where it cannot ask", "[backbone][who]") {
  const auto v4 = ask("me.v4." + apex, "2001:db8::53");
  CHECK_FALSE(v4.aa);
  CHECK(v4.answer.empty());
  CHECK(v4.authority == strings{"v4." + apex + ". 60 NS ns.v4." + apex + "."});
  CHECK(v4.additional == strings{"ns.v4." + apex + ". 60 A 192.0.2.251"});
  const auto v6 = ask("me.v6." + apex, "198.51.100.53");
  CHECK(v6.authority == strings{"v6." + apex + ". 60 NS ns.v6." + apex + "."});
  CHECK(v6.additional == strings{"ns.v6." + apex + ". 60 AAAA 2001:db8::251"});
}

TEST_CASE_METHOD(who, "nonces below v4 and v6 prove as well", "[backbone][who]") {
  const auto before = sightings();
  const std::string target = target_of(ask(label + ".v6." + apex, "2001:db8::53", dns::rr_type::aaaa));
  CHECK(target.ends_with("." + label + ".v6." + apex));
  CHECK(ask(target, "2001:db8::53", dns::rr_type::aaaa).answer == strings{target + ". 0 AAAA 2001:db8::53"});
  CHECK(sightings() == before + 1);
}

TEST_CASE_METHOD(who, "the servers of v4 and v6 have their addresses, DS there is the parent part's",
                 "[backbone][who]") {
  const auto r = ask("ns.v4." + apex, "198.51.100.53");
  CHECK(r.answer == strings{"ns.v4." + apex + ". 60 A 192.0.2.251"});
  CHECK(ask("ns.v4." + apex, "198.51.100.53", dns::rr_type::aaaa).answer.empty());
  CHECK(ask("v4." + apex, "2001:db8::53", dns::rr_type::ds).authority == strings{soa});
}

TEST_CASE_METHOD(who, "every reply of the nonce zone fits in the smallest one", "[backbone][who]") {
  for (const std::string& name : {label + ".v6." + apex, "me." + apex, apex}) {
    for (const unsigned qtype : {1U, 28U, 16U, 2U, 6U, 255U})
      CHECK(ask(name, "2001:db8::53", qtype).wire.size() <= 512);
  }
}

TEST_CASE("a nonce zone whose name leaves no room for a token is refused", "[backbone][who]") {
  mapping::backbone book;
  nonce_zone_settings s;
  const std::string part(60, 'a');
  s.apex = dns::name::from_text(part + "." + part + "." + part).value();
  CHECK_THROWS_AS(nonce_zone(s, book.book, [] { return mapping::instant(); }), failure);
}

}  // namespace nearside::backbone
