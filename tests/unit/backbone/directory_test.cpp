// SPDX-License-Identifier: BSD-2-Clause
// What the clients of mapped names get: by their row, by the life of its edges, by the mode and by ECS.
#include "fixture.hpp"

namespace nearside::backbone {

namespace {

std::string stand_in_of(const strings& told) {
  REQUIRE(told.size() == 2);
  return told[1];
}

}  // namespace

// ---- referrals ----

TEST_CASE_METHOD(two_edges, "a resolver is referred to the edges of its row, nearest first", "[backbone][referral]") {
  CHECK(told("ref.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
  const auto r = ask("ref.lb.example.com", "198.51.100.1");
  CHECK_FALSE(r.aa);
  CHECK(r.code == 0);
  CHECK(r.authority ==
        strings{"ref.lb.example.com. 60 NS e1.ns.lb.example.com.", "ref.lb.example.com. 60 NS e2.ns.lb.example.com."});
  CHECK(r.additional == strings{"e1.ns.lb.example.com. 60 A 192.0.2.1", "e2.ns.lb.example.com. 60 A 192.0.2.2"});
}

TEST_CASE_METHOD(node, "a referral has at most three edges", "[backbone][referral]") {
  for (unsigned number = 1; number <= 5; ++number) edge(number, {"198.51.100.1"});
  CHECK(told("ref.lb.example.com", "198.51.100.1").size() == 3);
}

TEST_CASE_METHOD(node, "the glue has both families of an edge, and only addresses that answer",
                 "[backbone][referral]") {
  auto message = book.message(1);
  message.addresses = {at("192.0.2.11"), at("2001:db8::11"), at("192.0.2.12")};
  REQUIRE(done(book.book.accept(mapping::certificate(1), message, now)));
  book.book.checked(book.id(1), at("192.0.2.11"), "", now);
  book.book.checked(book.id(1), at("2001:db8::11"), "", now);
  book.book.checked(book.id(1), at("192.0.2.12"), "timeout", now);
  CHECK(ask("ref.lb.example.com", "198.51.100.1").additional ==
        strings{"e1.ns.lb.example.com. 60 A 192.0.2.11", "e1.ns.lb.example.com. 60 AAAA 2001:db8::11"});
}

TEST_CASE_METHOD(with_stand_ins, "an edge that dies is out of the referral at once, and back when it lives",
                 "[backbone][referral]") {
  CHECK(told("ref.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
  kill(1);
  CHECK(told("ref.lb.example.com", "198.51.100.1")[0] == "e2");
  revive(1);
  CHECK(told("ref.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
}

TEST_CASE_METHOD(with_stand_ins, "a lease that ends takes the edge out of the referral", "[backbone][referral]") {
  now += 400s;
  book.register_edge(2, {}, now);
  book.book.expire(now);
  CHECK(told("ref.lb.example.com", "198.51.100.1")[0] == "e2");
}

TEST_CASE_METHOD(with_stand_ins, "a lonely edge has a backbone node that answers in its stead as the second NS",
                 "[backbone][referral]") {
  const auto both = told("ref.lb.example.com", "198.51.100.2");
  CHECK(both[0] == "e2");
  CHECK(stand_in_of(both).front() == 'd');
  const auto r = ask("ref.lb.example.com", "198.51.100.2");
  CHECK(r.additional.size() == 2);
}

TEST_CASE("all backbone nodes name the same stand-in for an edge, and not one for all edges", "[backbone][referral]") {
  std::set<std::string> used;
  for (unsigned number = 1; number <= 16; ++number) {
    std::vector<strings> told;
    for (const bool reversed : {false, true}) {
      node b;
      b.settings.direct_servers = {stand_in("d1.ns.lb.example.com", "192.0.2.251"),
                                   stand_in("d2.ns.lb.example.com", "192.0.2.252")};
      if (reversed) std::swap(b.settings.direct_servers[0], b.settings.direct_servers[1]);
      b.edge(number, {"198.51.100.1"});
      told.push_back(b.told("ref.lb.example.com", "198.51.100.1"));
    }
    CHECK(told[0] == told[1]);
    used.insert(stand_in_of(told[0]));
  }
  CHECK(used.size() == 2);
}

TEST_CASE_METHOD(two_edges, "without stand-ins a lonely edge has the next edge of the default as the second NS",
                 "[backbone][referral]") {
  edge(3);
  CHECK(told("ref.lb.example.com", "198.51.100.2") == strings{"e2", "e3"});
  kill(3);
  CHECK(told("ref.lb.example.com", "198.51.100.2") == strings{"e2", "e1"});
}

TEST_CASE_METHOD(with_stand_ins, "a row whose edges are all dead is referred as by default", "[backbone][referral]") {
  edge(3);
  kill(1);
  kill(2);
  CHECK(told("ref.lb.example.com", "198.51.100.1")[0] == "e3");
}

TEST_CASE_METHOD(with_stand_ins, "with no edge alive the backbone nodes that stand in are the servers",
                 "[backbone][referral]") {
  kill(1);
  kill(2);
  CHECK(told("ref.lb.example.com", "198.51.100.1") == strings{"d1", "d2"});
  CHECK(told("ref.lb.example.com", "203.0.113.9") == strings{"d1", "d2"});
}

TEST_CASE_METHOD(two_edges, "with nobody at all the pool answers, AA=1", "[backbone][referral]") {
  kill(1);
  kill(2);
  const auto r = ask("www.lb.example.com", "198.51.100.1");
  CHECK(r.aa);
  CHECK(told(r) == strings{"!203.0.113.80", "!203.0.113.81", "!203.0.113.82"});
}

TEST_CASE_METHOD(two_edges, "a referral is chosen by the source alone: ECS changes nothing, scope 0",
                 "[backbone][referral][ecs]") {
  row("203.0.113.0/24", {2});
  const auto r = ask(with_subnet("ref.lb.example.com", "203.0.113.0/24"), "198.51.100.1");
  CHECK(told(r) == strings{"e1", "e2"});
  CHECK(scope_of(r) == 0);
}

TEST_CASE_METHOD(two_edges, "a row of the operator's table refers as well", "[backbone][referral]") {
  row("203.0.113.0/24", {2, 1});
  CHECK(told("ref.lb.example.com", "203.0.113.9") == strings{"e2", "e1"});
}

TEST_CASE_METHOD(two_edges, "an IPv4 client inside IPv6 is the IPv4 client", "[backbone][referral]") {
  CHECK(told("ref.lb.example.com", "::ffff:198.51.100.1") == strings{"e1", "e2"});
}

TEST_CASE_METHOD(two_edges, "a referral that was made once is the same object until an edge of it changes",
                 "[backbone][referral]") {
  const auto site = book.book.rows().find(at("198.51.100.1"))->site;
  const auto first = dir().referral_of(site, 60);
  CHECK(dir().referral_of(site, 60) == first);
  CHECK(dir().referral_of(site, 120) != first);
  edge(3);
  CHECK(dir().referral_of(site, 60) == first);
  kill(2);
  revive(2);
  CHECK(*dir().referral_of(site, 60) == *first);
  kill(1);
  CHECK(*dir().referral_of(site, 60) != *first);
}

// ---- the default ----

TEST_CASE_METHOD(node, "an unmapped client is referred to one of all living edges, and the next",
                 "[backbone][default]") {
  for (unsigned number = 1; number <= 3; ++number) edge(number);
  std::map<strings, unsigned> seen;
  for (std::uint32_t step = 0; step < 300; ++step) {
    random = step * (UINT32_MAX / 300);
    ++seen[told("ref.lb.example.com", "203.0.113.9")];
  }
  CHECK(seen.size() == 3);
  for (const strings& one : {strings{"e1", "e2"}, strings{"e2", "e3"}, strings{"e3", "e1"}}) {
    CHECK(seen[one] > 95);
    CHECK(seen[one] < 105);
  }
}

TEST_CASE_METHOD(node, "the default follows the weights; 0 is only for when there is nobody else",
                 "[backbone][default]") {
  for (unsigned number = 1; number <= 3; ++number) edge(number);
  settings.weights = {{name_of(1), 3}, {name_of(3), 0}};
  std::map<std::string, unsigned> first;
  for (std::uint32_t step = 0; step < 400; ++step) {
    random = step * (UINT32_MAX / 400);
    ++first[told("ref.lb.example.com", "203.0.113.9")[0]];
  }
  CHECK(first["e1"] > 295);
  CHECK(first["e1"] < 305);
  CHECK(first["e3"] == 0);
  kill(1);
  kill(2);
  CHECK(told("ref.lb.example.com", "203.0.113.9")[0] == "e3");
}

TEST_CASE_METHOD(node, "the default has an alternative for each edge, at most 255", "[backbone][default]") {
  for (unsigned number = 1; number <= 200; ++number) edge(number);
  CHECK(dir().default_alternatives(60).referrals.size() == 200);
  CHECK(dir().default_alternatives(60).shares.size() == 200);
  for (unsigned number = 201; number <= 254; ++number) edge(number);
  for (unsigned number = 256; number <= 260; ++number) {
    auto message = book.message(1);
    message.edge = name_of(number);
    message.addresses = {at("198.51.100." + std::to_string(number - 250))};
    REQUIRE(done(book.book.accept(mapping::certificate(number), message, now)));
    book.book.checked(book.id(number), message.addresses[0], "", now);
  }
  const auto all = dir().default_alternatives(60);
  CHECK(all.referrals.size() == 255);
  for (const auto& to : all.referrals) CHECK(to->servers.rdatas.size() == 2);
}

TEST_CASE_METHOD(node, "one numbered alternative of the default is given where that is asked for",
                 "[backbone][default]") {
  for (unsigned number = 1; number <= 3; ++number) edge(number);
  const auto all = dir().default_alternatives(60);
  for (std::size_t i = 0; i < 3; ++i) {
    dns::draw_numbers by;
    by.alternative = i;
    const auto says = dir().decide(ref, {at("203.0.113.9"), {}, {}}, by);
    CHECK(std::get<std::shared_ptr<const dns::referral>>(says) == all.referrals[i]);
  }
}

TEST_CASE_METHOD(node, "the default of no edge is the stand-ins, or nobody", "[backbone][default]") {
  CHECK(dir().default_alternatives(60).referrals.empty());
  node other;
  other.settings.direct_servers = {stand_in("d1.ns.lb.example.com", "192.0.2.251")};
  const auto all = other.dir().default_alternatives(60);
  REQUIRE(all.referrals.size() == 1);
  CHECK(all.shares.size() == 1);
}

TEST_CASE_METHOD(two_edges, "other knowledge of where a client is comes before the weights, and after the rows",
                 "[backbone][default]") {
  dir().locate_by([&](const boost::asio::ip::address& where) {
    return where == at("203.0.113.9") || where == at("198.51.100.1") ? std::vector{book.id(2)}
                                                                     : std::vector<mapping::edge_id>();
  });
  CHECK(dir().default_by_address());
  CHECK(told("ref.lb.example.com", "203.0.113.9") == strings{"e2", "e1"});
  CHECK(told("ref.lb.example.com", "198.51.100.1") == strings{"e1", "e2"});
  CHECK(told("ref.lb.example.com", "203.0.113.10") == strings{"e1", "e2"});
}

// ---- as a name server of the cut ----

TEST_CASE_METHOD(with_stand_ins,
                 "asked on a direct address it is the child: SOA and NS of the cut, as the parent gives them",
                 "[backbone][child]") {
  report(1, {1});
  const auto child = [&](unsigned qtype, const std::string& qname = "www.lb.example.com") {
    return ask(dns::query_builder(qname, qtype), "198.51.100.1", "192.0.2.251");
  };
  CHECK(child(dns::rr_type::a).answer == strings{"www.lb.example.com. 5 A 203.0.113.81"});
  const auto ns = child(dns::rr_type::ns);
  CHECK(ns.aa);
  CHECK(ns.answer == ask("www.lb.example.com", "198.51.100.1").authority);
  CHECK(child(dns::rr_type::soa).answer.at(0).find("www.lb.example.com. 3600 SOA") == 0);
  CHECK(child(dns::rr_type::txt).authority.at(0).find("www.lb.example.com. 30 SOA") == 0);
  const auto below = child(dns::rr_type::a, "a.www.lb.example.com");
  CHECK(below.code == 3);
  CHECK(below.authority.at(0).find("www.lb.example.com. 30 SOA") == 0);
}

TEST_CASE_METHOD(with_stand_ins, "asked on a direct address it never refers", "[backbone][child]") {
  for (const std::string qname : {"www.lb.example.com", "far.lb.example.com"}) {
    const auto r = ask(dns::query_builder(qname, dns::rr_type::a), "198.51.100.1", "192.0.2.251");
    CHECK(r.aa);
    CHECK(told(r) == strings{"!203.0.113.80", "!203.0.113.81", "!203.0.113.82"});
  }
}

TEST_CASE_METHOD(with_stand_ins,
                 "on a direct address an unmapped client gets the view of the edges that it would be referred to",
                 "[backbone][child]") {
  report(1, {2});
  report(2, {2});
  const auto r = ask(dns::query_builder("www.lb.example.com", dns::rr_type::a), "203.0.113.9", "192.0.2.251");
  CHECK(told(r) == strings{"!203.0.113.82"});
}

// ---- names of edges ----

TEST_CASE_METHOD(with_stand_ins, "the names of edges and of stand-ins are answered, AA=1", "[backbone][names]") {
  const auto r = ask("e1.ns.lb.example.com", "203.0.113.9");
  CHECK(r.aa);
  CHECK(r.answer == strings{"e1.ns.lb.example.com. 60 A 192.0.2.1"});
  CHECK(ask("d2.ns.lb.example.com", "203.0.113.9").answer == strings{"d2.ns.lb.example.com. 60 A 192.0.2.252"});
  CHECK(ask("e9.ns.lb.example.com", "203.0.113.9").code == 3);
  CHECK(ask("ns.lb.example.com", "203.0.113.9").code == 0);
}

TEST_CASE_METHOD(two_edges, "a dead edge keeps its name as long as its lease lasts", "[backbone][names]") {
  kill(1);
  CHECK(ask("e1.ns.lb.example.com", "203.0.113.9").answer.size() == 1);
  REQUIRE(done(book.book.withdraw(mapping::certificate(1), name_of(1), ++book.sequence, now)));
  CHECK(ask("e1.ns.lb.example.com", "203.0.113.9").code == 3);
}

TEST_CASE_METHOD(node, "an empty non-terminal goes with the last edge below it", "[backbone][names]") {
  const auto message = [&](const std::string& name) {
    mapping::registration m = book.message(1);
    m.edge = name;
    return m;
  };
  const std::string deep = "e1.pop.far-away.lb.example.com.";
  CHECK(ask("far-away.lb.example.com", "203.0.113.9").code == 3);
  REQUIRE(done(book.book.accept({{deep}, {}}, message(deep), now)));
  for (const std::string qname : {"far-away.lb.example.com", "pop.far-away.lb.example.com"})
    CHECK(ask(qname, "203.0.113.9").code == 0);
  REQUIRE(done(book.book.withdraw({{deep}, {}}, deep, ++book.sequence, now)));
  CHECK(ask("far-away.lb.example.com", "203.0.113.9").code == 3);
}

// ---- for the publisher and the registration ----

TEST_CASE_METHOD(two_edges, "a site without a living edge gets what the default gets", "[backbone][publisher]") {
  const auto site = book.book.rows().find(at("198.51.100.1"))->site;
  kill(1);
  kill(2);
  CHECK(dir().referral_of(site, 60) == nullptr);
}

TEST_CASE_METHOD(two_edges, "the sites to be told anew are those of the edge, and lonely ones without stand-ins",
                 "[backbone][publisher]") {
  edge(3, {"198.51.100.3"});
  const auto site_of = [&](const std::string& address) { return book.book.rows().find(at(address))->site; };
  const std::vector only{book.id(1)};
  const auto has = [](const auto& sites, auto site) {
    return std::find(sites.begin(), sites.end(), site) != sites.end();
  };
  const auto changed = dir().sites_changed_by(only);
  CHECK(has(changed.theirs, site_of("198.51.100.1")));
  CHECK_FALSE(has(changed.theirs, site_of("198.51.100.3")));
  CHECK(has(changed.lonely, site_of("198.51.100.3")));
  settings.direct_servers = {stand_in("d1.ns.lb.example.com", "192.0.2.251")};
  made.reset();
  const auto fewer = dir().sites_changed_by(only);
  CHECK(has(fewer.theirs, site_of("198.51.100.1")));
  CHECK(fewer.lonely.empty());
}

TEST_CASE_METHOD(with_stand_ins, "an edge is told the NS that the clients of its rows get, and those of the default",
                 "[backbone][registration]") {
  const auto row = pre("198.51.100.1/32");
  CHECK(dir().servers_of(book.edge(1), &row) == strings{name_of(1), name_of(2)});
  CHECK(dir().servers_of(book.edge(1), nullptr) == strings{name_of(1), name_of(2)});
  CHECK(dir().servers_of(book.edge(2), nullptr) == strings{name_of(2), name_of(1)});
  kill(2);
  CHECK(dir().servers_of(book.edge(2), nullptr).front() == name_of(2));
  CHECK(dir().servers_of(book.edge(2), nullptr).size() > 1);
}

}  // namespace nearside::backbone
