// SPDX-License-Identifier: BSD-2-Clause
// Mapped names, what is registered, and what a mapping makes by itself, as replies.
#include <map>

#include "fixture.hpp"

namespace nearside::dns {
namespace {

using boost::asio::ip::make_address;

constexpr std::uint32_t www = 7;

const std::string parent_records = R"($TTL 20
@     300 IN SOA b1.ns host 1 3600 600 86400 30
@       NS  b1.ns
b1.ns   A   192.0.2.1
www     A   192.0.2.80
www     A   192.0.2.81
www     A   192.0.2.82
alias   CNAME www
empty   TXT "not mapped"
part    NS  ns.example.net.
*.wild  TXT "synthesised"
)";

rdata wire_of(std::string_view text) {
  const auto n = name::from_text(text).value();
  return {n.wire().begin(), n.wire().end()};
}

rrset addresses_of(std::string_view text, std::uint32_t ttl = 60) {
  const auto address = make_address(text);
  if (address.is_v4()) {
    const auto octets = address.to_v4().to_bytes();
    return {rr_type::a, ttl, false, {{octets.begin(), octets.end()}}, no_pool};
  }
  const auto octets = address.to_v6().to_bytes();
  return {rr_type::aaaa, ttl, false, {{octets.begin(), octets.end()}}, no_pool};
}

std::shared_ptr<const referral> usual_referral() {
  referral to;
  to.servers = {rr_type::ns,
                60,
                false,
                {wire_of("e17.ns.lb.example.com."), wire_of("e18.ns.lb.example.com."), wire_of("e9.example.net.")},
                no_pool};
  to.addresses.push_back({name::from_text("e17.ns.lb.example.com").value(), addresses_of("198.51.100.17")});
  to.addresses.push_back({name::from_text("e17.ns.lb.example.com").value(), addresses_of("2001:db8::17")});
  to.addresses.push_back({name::from_text("e18.ns.lb.example.com").value(), addresses_of("198.51.100.18")});
  to.addresses.push_back({name::from_text("e9.example.net").value(), addresses_of("198.51.100.9")});
  return std::make_shared<const referral>(to);
}

choice one_of(std::vector<std::uint8_t> order) {
  return {choice::kind::answer, false, 5, {{std::move(order), 0xffff, 0}}};
}

/// Says what a test has put into it.
struct told final : mapping {
  decision says = usual_referral();
  std::map<std::string, node> registered;  // by name in lower case
  std::optional<rrset> apex_servers;
  std::shared_ptr<const made_answer> made;
  mutable origin last;
  mutable draw_numbers drawn;

  [[nodiscard]] decision decide(std::uint32_t mapped, const origin& asked, const draw_numbers& by) const override {
    CHECK(mapped == www);
    last = asked;
    drawn = by;
    return says;
  }
  [[nodiscard]] const node* find(std::span<const std::uint8_t> owner) const override {
    const auto found = registered.find(name::from_wire(owner).value().lower().text());
    return found != registered.end() ? &found->second : nullptr;
  }
  [[nodiscard]] const rrset* servers_at(const zone&, const origin& asked) const override {
    last = asked;
    return apex_servers ? &*apex_servers : nullptr;
  }
  [[nodiscard]] std::shared_ptr<const made_answer> make(const name& qname, std::uint16_t,
                                                        const origin&) const override {
    const bool is_its = made != nullptr && qname == made->answer.front().owner;
    return is_its ? made : nullptr;
  }

  void register_edge(const std::string& owner, std::string_view address) {
    registered[owner].rrsets.push_back(addresses_of(address));
    for (name above = name::from_text(owner).value().parent(); !above.is_root(); above = above.parent())
      registered.try_emplace(above.text());
  }
  void answer_directly(std::vector<std::uint8_t> order, std::uint8_t scope = 0, bool as_child = false) {
    says = direct_answer{pool_choice{{one_of(std::move(order)), {}}}, scope,
                         as_child ? usual_referral() : std::shared_ptr<const referral>()};
  }
};

zone parent_zone(std::string_view records = parent_records) {
  zone z = zone_of("lb.example.com.", records);
  z.balance(name::from_text("www.lb.example.com").value(), 0);
  z.map(name::from_text("www.lb.example.com").value(), www).value();
  z.check().value();
  return z;
}

const choices all_servers{{{{one_of({0, 1, 2}), {}}}}};

struct backbone {
  backbone() { zones.add(parent_zone()).value(); }

  reply ask(const query_builder& q, std::string_view destination = "192.0.2.1") const {
    return take_apart(respond(zones, all_servers, usual_identity, q.message,
                              {.random = 0x1234,
                               .client = make_address("203.0.113.5"),
                               .destination = make_address(destination),
                               .map = &map}));
  }
  reply ask(std::string_view qname, unsigned qtype) const { return ask(query_builder(qname, qtype)); }

  zone_set zones;
  told map;
};

const strings usual_authority{"www.lb.example.com. 60 NS e17.ns.lb.example.com.",
                              "www.lb.example.com. 60 NS e18.ns.lb.example.com.",
                              "www.lb.example.com. 60 NS e9.example.net."};
const strings usual_glue{"e17.ns.lb.example.com. 60 A 198.51.100.17", "e17.ns.lb.example.com. 60 AAAA 2001:db8::17",
                         "e18.ns.lb.example.com. 60 A 198.51.100.18"};
const std::string parent_soa = "lb.example.com. 30 SOA b1.ns.lb.example.com. host.lb.example.com. 1 3600 600 86400 30";
const std::string child_soa =
    "www.lb.example.com. 30 SOA b1.ns.lb.example.com. host.lb.example.com. 1 3600 600 86400 30";

/// ECS of 203.0.113.0/24.
octets usual_subnet(std::uint8_t scope = 0) { return option(8, {0, 1, 24, scope, 203, 0, 113}); }

}  // namespace

TEST_CASE("without a mapping a mapped name answers from its pool", "[dns][mapped]") {
  const backbone b;
  const auto r = ask(b.zones, all_servers, query_builder("www.lb.example.com", rr_type::a).message);
  CHECK(r.aa);
  CHECK(r.answer.size() == 3);
}

// ---- the referral ----

TEST_CASE_METHOD(backbone, "a mapped name is referred: NOERROR, AA=0, the NS of the cut, glue of both families",
                 "[dns][mapped]") {
  for (const unsigned qtype : {1U, 28U, 2U, 6U, 16U, 65U, 255U}) {
    CAPTURE(qtype);
    const auto r = ask("www.lb.example.com", qtype);
    CHECK(r.code == 0);
    CHECK_FALSE(r.aa);
    CHECK(r.answer.empty());
    CHECK(r.authority == usual_authority);
    CHECK(r.additional == usual_glue);
  }
}

TEST_CASE_METHOD(backbone, "below a mapped name there is the same referral", "[dns][mapped]") {
  const auto r = ask("a.b.WWW.lb.example.com", rr_type::mx);
  CHECK_FALSE(r.aa);
  CHECK(r.code == 0);
  CHECK(r.authority.size() == 3);
  CHECK(r.additional == usual_glue);
}

TEST_CASE_METHOD(backbone, "DS at a mapped name is the parent's NODATA, below it the referral", "[dns][mapped]") {
  const auto at = ask("www.lb.example.com", rr_type::ds);
  CHECK(at.aa);
  CHECK(at.authority == strings{parent_soa});
  CHECK(ask("a.www.lb.example.com", rr_type::ds).authority.size() == 3);
}

TEST_CASE_METHOD(backbone, "the mapping is told who asks, where, with which subnet, and what to draw by",
                 "[dns][mapped]") {
  ask(query_builder("www.lb.example.com", rr_type::a).opt(usual_subnet()), "192.0.2.9");
  CHECK(map.last.source == make_address("203.0.113.5"));
  CHECK(map.last.destination == make_address("192.0.2.9"));
  REQUIRE(map.last.subnet);
  CHECK(map.last.subnet->source_prefix == 24);
  CHECK(map.drawn.random == 0x1234);
}

TEST_CASE_METHOD(backbone, "ECS in a referral is echoed with scope 0", "[dns][mapped]") {
  const auto r = ask(query_builder("www.lb.example.com", rr_type::a).opt(usual_subnet()));
  CHECK(r.options == usual_subnet(0));
}

TEST_CASE_METHOD(backbone, "addresses of servers out of the zone are no glue", "[dns][mapped]") {
  for (const auto& line : ask("www.lb.example.com", rr_type::a).additional)
    CHECK(line.find("e9.") == std::string::npos);
}

TEST_CASE("what follows the question in a referral does not depend on the name", "[dns][mapped]") {
  const std::string records = parent_records + "a-longer-name A 192.0.2.80\n";
  zone z = parent_zone(records);
  z.map(name::from_text("a-longer-name.lb.example.com").value(), 8).value();
  zone_set zones;
  zones.add(std::move(z)).value();
  const fixed_mapping map(usual_referral());
  const auto behind = [&](std::string_view qname) {
    const query_builder q(qname, rr_type::a);
    return take_apart(respond(zones, {}, {}, q.message, {.map = &map})).behind(q);
  };
  CHECK(behind("www.lb.example.com") == behind("a-longer-name.lb.example.com"));
}

TEST_CASE_METHOD(backbone, "a referral whose glue does not fit has TC=1", "[dns][mapped]") {
  auto large = *usual_referral();
  for (int i = 0; i < 16; ++i)
    large.addresses.push_back(
        {name::from_text("e18.ns.lb.example.com").value(), addresses_of("2001:db8::" + std::to_string(i + 1))});
  map.says = std::make_shared<const referral>(large);
  CHECK(ask("www.lb.example.com", rr_type::a).tc);
  CHECK_FALSE(ask(query_builder("www.lb.example.com", rr_type::a).opt({}, 1232)).tc);
}

TEST_CASE_METHOD(backbone, "a CNAME in the zone leads to the referral, and AA speaks of the CNAME", "[dns][mapped]") {
  const auto r = ask("alias.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"alias.lb.example.com. 20 CNAME www.lb.example.com."});
  CHECK(r.authority == usual_authority);
  CHECK(r.additional == usual_glue);
}

// ---- in the edges' stead ----

TEST_CASE_METHOD(backbone, "a direct answer has AA=1 and the pool's records in the order decided", "[dns][mapped]") {
  map.answer_directly({2, 0});
  const auto r = ask("www.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"www.lb.example.com. 5 A 192.0.2.82", "www.lb.example.com. 5 A 192.0.2.80"});
  CHECK(r.authority.empty());
}

TEST_CASE_METHOD(backbone, "a direct answer has the scope decided, a negative one scope 0", "[dns][mapped]") {
  map.answer_directly({1}, 20);
  const auto with_subnet = [&](unsigned qtype) {
    return ask(query_builder("www.lb.example.com", qtype).opt(usual_subnet())).options;
  };
  CHECK(with_subnet(rr_type::a) == usual_subnet(20));
  CHECK(with_subnet(rr_type::aaaa) == usual_subnet(0));
  CHECK(with_subnet(rr_type::txt) == usual_subnet(0));
  CHECK(ask(query_builder("www.lb.example.com", rr_type::a).opt()).options.empty());
}

TEST_CASE_METHOD(backbone, "a direct answer through a CNAME has the scope decided", "[dns][mapped]") {
  map.answer_directly({1}, 20);
  const auto r = ask(query_builder("alias.lb.example.com", rr_type::a).opt(usual_subnet()));
  CHECK(r.answer.size() == 2);
  CHECK(r.options == usual_subnet(20));
  const auto no = ask(query_builder("alias.lb.example.com", rr_type::aaaa).opt(usual_subnet()));
  CHECK(no.options == usual_subnet(0));
}

TEST_CASE_METHOD(backbone, "other types of a name answered directly are NODATA with the zone's SOA", "[dns][mapped]") {
  map.answer_directly({1});
  for (const unsigned qtype : {28U, 2U, 6U, 16U, 65U, 43U}) {
    CAPTURE(qtype);
    const auto r = ask("www.lb.example.com", qtype);
    CHECK(r.aa);
    CHECK(r.code == 0);
    CHECK(r.answer.empty());
    CHECK(r.authority == strings{parent_soa});
  }
}

TEST_CASE_METHOD(backbone, "below a name answered directly is NXDOMAIN with the zone's SOA", "[dns][mapped]") {
  map.answer_directly({1});
  const auto r = ask("a.www.lb.example.com", rr_type::a);
  CHECK(r.code == 3);
  CHECK(r.authority == strings{parent_soa});
}

TEST_CASE_METHOD(backbone, "ANY of a name answered directly is its A RRset", "[dns][mapped]") {
  map.answer_directly({1});
  CHECK(ask("www.lb.example.com", rr_type::any).answer == strings{"www.lb.example.com. 5 A 192.0.2.81"});
}

TEST_CASE_METHOD(backbone, "a mapping that has nothing to say leaves the name to its pool", "[dns][mapped]") {
  map.says = direct_answer{};
  CHECK(ask("www.lb.example.com", rr_type::a).answer.size() == 3);
  map.says = std::shared_ptr<const referral>();
  CHECK(ask("www.lb.example.com", rr_type::a).answer.size() == 3);
}

TEST_CASE("a mapped name without servers that nobody can be referred for is SERVFAIL", "[dns][mapped]") {
  zone z = zone_of("lb.example.com.", "@ SOA b1.ns host 1 3600 600 86400 30\n@ NS b1.example.net.\n");
  z.map(name::from_text("www.lb.example.com").value(), www).value();
  z.check().value();
  zone_set zones;
  zones.add(std::move(z)).value();
  const fixed_mapping map(direct_answer{});
  const auto r = ask(zones, query_builder("www.lb.example.com", rr_type::a).message, {.map = &map});
  CHECK(r.code == 2);
  CHECK_FALSE(r.aa);
}

TEST_CASE_METHOD(backbone, "an order that does not fit the records is SERVFAIL", "[dns][mapped]") {
  map.answer_directly({9});
  CHECK(ask("www.lb.example.com", rr_type::a).code == 2);
}

// ---- as a server of the cut ----

TEST_CASE_METHOD(backbone, "as the child: SOA and NS are the cut's own, NS as the parent gives them", "[dns][mapped]") {
  map.answer_directly({1}, 0, true);
  const auto soa = ask("www.lb.example.com", rr_type::soa);
  CHECK(soa.aa);
  CHECK(soa.answer ==
        strings{"www.lb.example.com. 300 SOA b1.ns.lb.example.com. host.lb.example.com. 1 3600 600 86400 30"});
  const auto ns = ask("www.lb.example.com", rr_type::ns);
  CHECK(ns.aa);
  CHECK(ns.answer == usual_authority);
  CHECK(ns.additional == usual_glue);
}

TEST_CASE_METHOD(backbone, "as the child: NODATA and NXDOMAIN have the cut's SOA", "[dns][mapped]") {
  map.answer_directly({1}, 0, true);
  for (const unsigned qtype : {28U, 16U}) CHECK(ask("www.lb.example.com", qtype).authority == strings{child_soa});
  const auto below = ask("a.www.lb.example.com", rr_type::a);
  CHECK(below.code == 3);
  CHECK(below.aa);
  CHECK(below.authority == strings{child_soa});
}

TEST_CASE_METHOD(backbone, "as the child: the addresses are answered as directly, DS is the parent's",
                 "[dns][mapped]") {
  map.answer_directly({1}, 0, true);
  CHECK(ask("www.lb.example.com", rr_type::a).answer == strings{"www.lb.example.com. 5 A 192.0.2.81"});
  CHECK(ask("www.lb.example.com", rr_type::any).answer == strings{"www.lb.example.com. 5 A 192.0.2.81"});
  CHECK(ask("www.lb.example.com", rr_type::ds).authority == strings{parent_soa});
}

TEST_CASE_METHOD(backbone, "as the child: ANY of a name without A has the NS", "[dns][mapped]") {
  map.says = direct_answer{pool_choice{}, 0, usual_referral()};
  CHECK(ask("www.lb.example.com", rr_type::any).answer == usual_authority);
  CHECK(ask("www.lb.example.com", rr_type::a).authority == strings{child_soa});
}

// ---- names of edges ----

TEST_CASE_METHOD(backbone, "the addresses of a registered edge are the zone's data", "[dns][mapped]") {
  map.register_edge("e17.ns.lb.example.com.", "198.51.100.17");
  const auto r = ask("E17.ns.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"E17.ns.lb.example.com. 60 A 198.51.100.17"});
  CHECK(ask("e17.ns.lb.example.com", rr_type::aaaa).authority == strings{parent_soa});
}

TEST_CASE_METHOD(backbone, "a name that no edge has is NXDOMAIN", "[dns][mapped]") {
  map.register_edge("e17.ns.lb.example.com.", "198.51.100.17");
  CHECK(ask("e18.ns.lb.example.com", rr_type::a).code == 3);
}

TEST_CASE_METHOD(backbone, "a name above a registered edge is there and has nothing (RFC 9156)", "[dns][mapped]") {
  CHECK(ask("pop.lb.example.com", rr_type::a).code == 3);
  map.register_edge("e1.ns.pop.lb.example.com.", "198.51.100.17");
  for (const std::string_view qname : {"pop.lb.example.com", "ns.pop.lb.example.com"}) {
    const auto r = ask(qname, rr_type::a);
    CHECK(r.code == 0);
    CHECK(r.aa);
    CHECK(r.authority == strings{parent_soa});
  }
}

TEST_CASE_METHOD(backbone, "an edge's name may share empty non-terminals with the zone's records", "[dns][mapped]") {
  map.register_edge("e17.ns.lb.example.com.", "198.51.100.17");
  CHECK(ask("ns.lb.example.com", rr_type::a).code == 0);
  CHECK(ask("b1.ns.lb.example.com", rr_type::a).answer.size() == 1);
}

TEST_CASE_METHOD(backbone, "what stands in the zone comes before what is registered", "[dns][mapped]") {
  map.register_edge("b1.ns.lb.example.com.", "198.51.100.66");
  CHECK(ask("b1.ns.lb.example.com", rr_type::a).answer == strings{"b1.ns.lb.example.com. 20 A 192.0.2.1"});
}

TEST_CASE_METHOD(backbone, "a registered name below a delegation is its servers'", "[dns][mapped]") {
  map.register_edge("e1.part.lb.example.com.", "198.51.100.66");
  const auto r = ask("e1.part.lb.example.com", rr_type::a);
  CHECK_FALSE(r.aa);
  CHECK(r.authority == strings{"part.lb.example.com. 20 NS ns.example.net."});
}

TEST_CASE_METHOD(backbone, "a registered name below a wildcard's place hides the wildcard", "[dns][mapped]") {
  CHECK(ask("e1.wild.lb.example.com", rr_type::txt).answer.size() == 1);
  map.register_edge("e1.wild.lb.example.com.", "198.51.100.66");
  CHECK(ask("e1.wild.lb.example.com", rr_type::txt).answer.empty());
  CHECK(ask("e1.wild.lb.example.com", rr_type::a).answer.size() == 1);
  CHECK(ask("e2.wild.lb.example.com", rr_type::txt).answer.size() == 1);
}

// ---- the edge's apex ----

TEST_CASE("the NS of a zone that follows its parent are those that the parent gives", "[dns][mapped]") {
  zone z =
      zone_of("www.lb.example.com.",
              "@ SOA e17.ns.lb.example.com. host 1 3600 600 86400 30\n@ NS e17.ns.lb.example.com.\n@ A 192.0.2.80\n");
  const bool follows = GENERATE(true, false);
  if (follows) z.follow_parent();
  zone_set zones;
  zones.add(std::move(z)).value();
  told map;
  const auto servers = [&] {
    return ask(zones, query_builder("www.lb.example.com", rr_type::ns).message,
               {.client = make_address("203.0.113.5"), .map = &map});
  };
  CHECK(servers().answer == strings{"www.lb.example.com. 20 NS e17.ns.lb.example.com."});
  map.apex_servers = usual_referral()->servers;
  const auto r = servers();
  CHECK(r.aa);
  if (follows) {
    CHECK(r.answer == usual_authority);
    CHECK(map.last.source == make_address("203.0.113.5"));
  } else {
    CHECK(r.answer.size() == 1);
  }
}

// ---- answers of the mapping's own ----

TEST_CASE_METHOD(backbone, "an answer that the mapping makes comes before the zones", "[dns][mapped]") {
  made_answer made;
  made.answer.push_back({name::from_text("x.b1.who.lb.example.com").value(), addresses_of("203.0.113.5", 0)});
  map.made = std::make_shared<const made_answer>(made);
  const auto r = ask("x.b1.who.lb.example.com", rr_type::a);
  CHECK(r.aa);
  CHECK(r.answer == strings{"x.b1.who.lb.example.com. 0 A 203.0.113.5"});
  CHECK(ask("www.lb.example.com", rr_type::a).authority == usual_authority);
}

// ---- the zone ----

TEST_CASE("a mapped name is no apex, no wildcard, in no cut and has addresses alone", "[dns][zone]") {
  zone z = zone_of("lb.example.com.", parent_records);
  const auto refusal = [&](std::string_view text) { return z.map(name::from_text(text).value(), 1).error().message; };
  CHECK(refusal("lb.example.com") == "lb.example.com.: a zone cut lies below lb.example.com.");
  CHECK(refusal("www.example.com") == "www.example.com.: a zone cut lies below lb.example.com.");
  CHECK(refusal("*.lb.example.com") == "*.lb.example.com.: a wildcard cannot be a zone cut");
  CHECK(refusal("a.part.lb.example.com") == "a.part.lb.example.com.: lies in the delegation of part.lb.example.com.");
  CHECK(refusal("empty.lb.example.com") ==
        "empty.lb.example.com.: its servers answer for it, so it cannot have TXT records");
  z.map(name::from_text("new.lb.example.com").value(), 1).value();
  CHECK(refusal("a.new.lb.example.com") == "a.new.lb.example.com.: lies in the mapped name new.lb.example.com.");
}

TEST_CASE("nothing lies below a mapped name", "[dns][zone]") {
  zone z = zone_of("lb.example.com.", parent_records);
  z.map(name::from_text("ns.lb.example.com").value(), 1).value();
  CHECK(z.check().error().message ==
        "b1.ns.lb.example.com.: lies below the mapped name ns.lb.example.com., whose servers answer for it");
}

}  // namespace nearside::dns
