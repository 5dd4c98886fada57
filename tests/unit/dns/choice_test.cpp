// SPDX-License-Identifier: BSD-2-Clause
// What the names of a pool answer: NODATA, SERVFAIL, orders, TTLs, shares, and who it is for.
#include "agent/dns/choice.hpp"

#include <map>
#include <random>

#include "agent/dns/client.hpp"
#include "fixture.hpp"
#include "tests/support/choices.hpp"

namespace nearside::dns {

namespace {

using boost::asio::ip::make_address;
using tests::by_client;
using tests::just;
using tests::nodata;
using tests::rotation;
using tests::servfail;
using tests::weighted;

const std::string soa = "lb.example. 30 SOA ns1.lb.example. host.lb.example. 1 3600 600 86400 30";

/// The usual zone with www, one and *.wild in pools 0, 1 and 2.
const zone_set& pooled_zones() {
  static const zone_set zones = [] {
    zone z = zone_of("lb.example.", usual_records);
    z.balance(name::from_text("www.lb.example.").value(), 0);
    z.balance(name::from_text("one.lb.example.").value(), 1);
    z.balance(name::from_text("*.wild.lb.example.").value(), 2);
    z.balance(name::from_text("ns3.lb.example.").value(), 3);
    zone_set all;
    all.add(std::move(z)).value();
    return all;
  }();
  return zones;
}

reply ask_pooled(const choices& chosen, const query_builder& q, const request_context& context = {}) {
  return ask(pooled_zones(), chosen, q.message, context);
}

choices www(choice a, choice aaaa = rotation(1)) {
  return {{{std::move(a), std::move(aaaa)}}, {{rotation(1), nodata()}}, {{rotation(1), nodata()}}};
}

const query_builder www_a("www.lb.example", rr_type::a);

octets subnet(unsigned family, unsigned source, const octets& address) {
  octets value;
  put16(value, family);
  value.insert(value.end(), {static_cast<std::uint8_t>(source), 0});
  value.insert(value.end(), address.begin(), address.end());
  return option(8, value);
}

unsigned scope_of(const reply& r) { return r.options.at(7); }

}  // namespace

TEST_CASE("a pool's name answers the records that are chosen, in that order and for that long", "[dns][choice]") {
  CHECK(ask_pooled(www(just({2, 0}, 7)), www_a).answer ==
        strings{"www.lb.example. 7 A 192.0.2.82", "www.lb.example. 7 A 192.0.2.80"});
  const auto chosen = www(rotation(3, 20));
  CHECK(ask_pooled(chosen, www_a, {.random = 0x60000000}).answer.front() == "www.lb.example. 20 A 192.0.2.81");
  CHECK(ask_pooled(chosen, www_a, {.alternative = 2}).answer.front() == "www.lb.example. 20 A 192.0.2.82");
  CHECK(ask_pooled(chosen, query_builder("www.lb.example", rr_type::aaaa)).answer ==
        strings{"www.lb.example. 20 AAAA 2001:db8::80"});
}

TEST_CASE("a family without a server to use is NODATA with the SOA, the other is answered", "[dns][choice]") {
  const auto chosen = www(nodata());
  const auto r = ask_pooled(chosen, www_a);
  CHECK(r.code == 0);
  CHECK(r.aa);
  CHECK(r.answer.empty());
  CHECK(r.authority == strings{soa});
  CHECK(ask_pooled(chosen, query_builder("www.lb.example", rr_type::aaaa)).answer.size() == 1);
}

TEST_CASE("where the operator wants it, and where nothing is decided, there is SERVFAIL and no record",
          "[dns][choice]") {
  choice beyond = just({3});  // there are records 0 to 2
  choice no_alternative = rotation(3);
  no_alternative.alternatives.clear();
  choice bad_other = weighted({1, 2});
  bad_other.alternatives[0].other = bad_other.alternatives[1].other = 9;
  bad_other.alternatives[0].share = bad_other.alternatives[1].share = 0;
  for (const auto& chosen :
       {www(servfail()), choices{}, www(beyond), www(just({})), www(no_alternative), www(bad_other)}) {
    auto q = www_a;
    const auto r = ask_pooled(chosen, q.opt(subnet(1, 24, {192, 0, 2})), {.random = 0xffffffff});
    CHECK(r.code == 2);
    CHECK_FALSE(r.aa);
    CHECK(r.has_question());
    CHECK(r.has_opt);
    CHECK(scope_of(r) == 0);
    CHECK((r.answer.empty() && r.authority.empty() && r.additional.empty()));
  }
}

TEST_CASE("other types of a pool's name, and names without a pool, need no choice", "[dns][choice]") {
  CHECK(ask_pooled({}, query_builder("www.lb.example", rr_type::txt)).authority == strings{soa});
  CHECK(ask_pooled({}, query_builder("ns1.lb.example", rr_type::a)).answer.size() == 1);
}

TEST_CASE("a CNAME to a pool's name is followed to what is chosen", "[dns][choice]") {
  const query_builder q("alias2.lb.example", rr_type::a);
  CHECK(ask_pooled(www(just({1}, 5)), q).answer == strings{"alias2.lb.example. 20 CNAME alias.lb.example.",
                                                           "alias.lb.example. 20 CNAME www.lb.example.",
                                                           "www.lb.example. 5 A 192.0.2.81"});
  const auto none = ask_pooled(www(nodata()), q);
  CHECK(none.answer.size() == 2);
  CHECK(none.authority == strings{soa});
  const auto failed = ask_pooled(www(servfail()), q);
  CHECK(failed.code == 2);
  CHECK(failed.answer.empty());
}

TEST_CASE("a wildcard in a pool is synthesised with what is chosen", "[dns][choice][rfc4592]") {
  auto chosen = www(rotation(3));
  chosen[2].families[0] = just({0}, 9);
  const query_builder q("x.wild.lb.example", rr_type::a);
  CHECK(ask_pooled(chosen, q).answer == strings{"x.wild.lb.example. 9 A 192.0.2.7"});
  chosen[2].families[0] = nodata();
  CHECK(ask_pooled(chosen, q).authority == strings{soa});
  CHECK(ask_pooled(chosen, query_builder("x.wild.lb.example", rr_type::txt)).answer.size() == 1);
}

TEST_CASE("ANY is answered with the lowest type that is not NODATA", "[dns][choice][rfc8482]") {
  const query_builder any("www.lb.example", rr_type::any);
  CHECK(ask_pooled(www(just({1})), any).answer == strings{"www.lb.example. 20 A 192.0.2.81"});
  CHECK(ask_pooled(www(nodata()), any).answer == strings{"www.lb.example. 20 AAAA 2001:db8::80"});
  CHECK(ask_pooled(www(nodata(), nodata()), any).authority == strings{soa});
  CHECK(ask_pooled(www(servfail()), any).code == 2);
}

TEST_CASE("addresses of a pool are no additional records: they are to be asked for", "[dns][choice]") {
  const auto r = ask_pooled(www(rotation(3)), query_builder("lb.example", rr_type::ns));
  CHECK(r.answer.size() == 3);
  CHECK(r.additional == strings{"ns1.lb.example. 20 A 192.0.2.1", "ns1.lb.example. 20 AAAA 2001:db8::1"});
}

TEST_CASE("draws fall on the alternatives exactly by their shares", "[dns][choice][draw]") {
  const auto chosen = weighted({1, 2, 3, 10, 0.5});
  std::map<std::size_t, std::uint64_t> counted;
  // Every value of what the draw looks at: the alternative, and the 16 bits behind it.
  constexpr std::uint64_t steps = 5 * 65536;
  for (std::uint64_t i = 0; i < steps; ++i) {
    const auto number = static_cast<std::uint32_t>(((i << 32U) + steps - 1) / steps);
    ++counted[draw(chosen.alternatives, number)];
  }
  const std::vector<double> expected{1, 2, 3, 10, 0.5};
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    CHECK(static_cast<double>(counted[k]) / steps == Approx(expected[k] / 16.5).margin(1.0 / 65536));
  }
}

TEST_CASE("a million random draws show the shares within one percent", "[dns][choice][draw]") {
  const auto chosen = www(weighted({5, 2, 1}));
  std::mt19937 random(3);
  std::map<std::string, int> counted;
  constexpr int draws = 1'000'000;
  for (int i = 0; i < draws; ++i) {
    ++counted[std::to_string(draw(chosen[0].families[0].alternatives, static_cast<std::uint32_t>(random())))];
  }
  CHECK(counted["0"] / double{draws} == Approx(5 / 8.0).margin(0.01));
  CHECK(counted["1"] / double{draws} == Approx(2 / 8.0).margin(0.01));
  CHECK(counted["2"] / double{draws} == Approx(1 / 8.0).margin(0.01));
}

TEST_CASE("a choice by client gives one network one answer, whatever is drawn", "[dns][choice][client]") {
  const auto chosen = www(by_client(rotation(3)));
  const auto first = [&](const std::string& client, std::uint32_t random) {
    return ask_pooled(chosen, www_a, {.random = random, .client = make_address(client)}).answer.front();
  };
  std::map<std::string, int> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string network = "198.51." + std::to_string(i) + ".";
    ++seen[first(network + "1", 0)];
    CHECK(first(network + "1", 0) == first(network + "200", 0xffffffff));
    CHECK(first("::ffff:" + network + "9", 7) == first(network + "1", 0));
    const std::string prefix = "2001:db8:" + std::to_string(i);
    CHECK(first(prefix + ":ab00::1", 0) == first(prefix + ":abff:ffff::", 9));
  }
  CHECK(seen.size() == 3);
}

TEST_CASE("the client's subnet counts before its address, and its scope is what the answer depends on",
          "[dns][choice][client][rfc7871]") {
  const auto chosen = www(by_client(rotation(3)));
  const auto with = [&](const octets& options, const std::string& client) {
    auto q = www_a;
    return ask_pooled(chosen, q.opt(options), {.client = make_address(client)});
  };
  const auto plain = ask_pooled(chosen, www_a, {.client = make_address("203.0.113.9")}).answer;
  const auto told = with(subnet(1, 24, {203, 0, 113}), "198.51.100.1");
  CHECK(told.answer == plain);
  CHECK(scope_of(told) == 24);
  CHECK(with(subnet(1, 32, {203, 0, 113, 77}), "2001:db8::1").answer == plain);
  CHECK(scope_of(with(subnet(1, 32, {203, 0, 113, 77}), "2001:db8::1")) == 24);
  CHECK(scope_of(with(subnet(1, 20, {203, 0, 112}), "198.51.100.1")) == 20);
  CHECK(scope_of(with(subnet(2, 64, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}), "198.51.100.1")) == 56);
  CHECK(scope_of(with(subnet(2, 48, {0x20, 1, 0xd, 0xb8, 0, 0}), "198.51.100.1")) == 48);
  // RFC 7871 7.1.2: a client that wants nothing told of it.
  const auto hidden = with(subnet(1, 0, {}), "203.0.113.9");
  CHECK(hidden.answer == plain);
  CHECK(scope_of(hidden) == 0);
}

TEST_CASE("what suits every client has scope 0: random answers, NODATA, SERVFAIL", "[dns][choice][rfc7871]") {
  auto q = www_a;
  q.opt(subnet(1, 24, {203, 0, 113}));
  CHECK(scope_of(ask_pooled(www(rotation(3)), q)) == 0);
  CHECK(scope_of(ask_pooled(www(by_client(nodata())), q)) == 0);
  CHECK(scope_of(ask_pooled(www(by_client(servfail())), q)) == 0);
  auto other = query_builder("www.lb.example", rr_type::txt);
  CHECK(scope_of(ask_pooled(www(by_client(rotation(3))), other.opt(subnet(1, 24, {203, 0, 113})))) == 0);
  auto alias = query_builder("alias.lb.example", rr_type::a);
  CHECK(scope_of(ask_pooled(www(by_client(rotation(3))), alias.opt(subnet(1, 24, {203, 0, 113})))) == 24);
}

TEST_CASE("neighbouring networks are spread evenly, and families do not share numbers", "[dns][client]") {
  constexpr std::size_t buckets = 64;
  for (const bool v6 : {false, true}) {
    std::array<int, buckets> counted{};
    constexpr int networks = 65536;
    for (int i = 0; i < networks; ++i) {
      client_subnet net{static_cast<std::uint16_t>(v6 ? 2 : 1), static_cast<std::uint8_t>(v6 ? 56 : 24), {}};
      const auto high = static_cast<std::uint8_t>(i >> 8), low = static_cast<std::uint8_t>(i);
      net.address = v6 ? octets{0x20, 1, 0xd, 0xb8, 0, high, low} : octets{10, high, low};
      ++counted[client_of(net, {}).number >> 26U];
    }
    double chi_square = 0;
    constexpr double expected = double{networks} / buckets;
    for (const int count : counted) chi_square += (count - expected) * (count - expected) / expected;
    CAPTURE(v6, chi_square);
    CHECK(chi_square < 103.4);  // 63 degrees of freedom, one in a thousand
  }
  const auto number = [](const std::string& text) { return client_of(std::nullopt, make_address(text)).number; };
  CHECK(number("10.1.2.3") != number("a01:200::"));  // equal octets
  CHECK(number("10.1.2.3") != number("10.1.3.3"));
}

}  // namespace nearside::dns
