// SPDX-License-Identifier: BSD-2-Clause
// Mapped names: each client is referred to the edges of its site, with the octets that the agent sends; what is not the
// kernel's to answer is passed.
#include <linux/bpf.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "agent/dataplane/client_table.hpp"
#include "agent/dataplane/listen.hpp"
#include "agent/dns/respond.hpp"
#include "tests/bpf/dataplane/zones.hpp"
#include "tests/bpf/program.hpp"
#include "tests/support/load_rows.hpp"

namespace nearside::tests {
namespace {

namespace ip = boost::asio::ip;
using dataplane::answer_images;
using dataplane::client_row;
using dataplane::site_change;
using dataplane::site_rule;

constexpr std::uint32_t TTL = 60;
constexpr std::uint16_t A = 1, NS = 2, AAAA = 28;

dns::rdata rdata_of(const std::string& address) {
  const auto parsed = ip::make_address(address);
  if (parsed.is_v4()) {
    const auto octets = parsed.to_v4().to_bytes();
    return {octets.begin(), octets.end()};
  }
  const auto octets = parsed.to_v6().to_bytes();
  return {octets.begin(), octets.end()};
}

/// To two edges, e<first> and the one after it; `more`: makes their names longer.
std::shared_ptr<const dns::referral> to_edges(std::uint32_t first, const std::string& more = "",
                                              std::size_t count = 2) {
  auto made = std::make_shared<dns::referral>();
  made->servers = {NS, TTL, false, {}, dns::no_pool};
  for (std::uint32_t i = first; i < first + count; ++i) {
    const auto owner = name_of("e" + std::to_string(i) + more + ".ns.lb.example.com.");
    made->servers.rdatas.emplace_back(owner.wire().begin(), owner.wire().end());
    made->addresses.push_back(
        {owner, {A, TTL, false, {rdata_of("203.0.113." + std::to_string(i % 250 + 1))}, dns::no_pool}});
    made->addresses.push_back(
        {owner, {AAAA, TTL, false, {rdata_of("2001:db8:e::" + std::to_string(i))}, dns::no_pool}});
  }
  return made;
}

dns::zone_set mapped_zone() {
  zone_builder z("lb.example.com.");
  z.servers("plain.lb.example.com.", {"203.0.113.9"});
  z.mapped("www.lb.example.com.", 0, {"203.0.113.1"});
  z.mapped("a.longer.name.lb.example.com.", 1);
  z.mapped("auto.lb.example.com.", 2, {"203.0.113.1", "2001:db8::1"});
  z.mapped("direct.lb.example.com.", 3, {"203.0.113.1"});
  return z.alone();
}

std::vector<site_rule> rules() { return {{true, false, TTL}, {true, false, TTL}, {true, true, TTL}, {}}; }

/// A program with its mapping, and the agent's way to the same answer.
struct mapped_program {
  mapped_program() : p(mapped_zone(), rules()), clients(p.tables()) {
    load_rows(clients, std::array{row("192.0.2.0", 24, 1), row("192.0.2.99", 32, 2), row("2001:db8:c::", 64, 3)});
    for (std::uint32_t site = 1; site < 4; ++site) set(site, {to_edges(site)});
    set(0, {to_edges(10), to_edges(20), to_edges(30)});
  }

  static client_row row(const std::string& address, std::uint8_t length, std::uint32_t site) {
    return {{ip::make_address(address), length}, site, {}};
  }

  /// Sets the referrals of a site for all groups.
  dataplane::publish_stats set(std::uint32_t site, std::vector<std::shared_ptr<const dns::referral>> to) {
    std::vector<site_change> changes;
    for (const auto& group : p.publisher().site_groups()) {
      answer_images images;
      for (const auto& one : to) {
        images.images.push_back(dataplane::render_referral(p.zones(), group.representative, one).value());
      }
      changes.push_back({group.number, site, images});
    }
    says[site] = std::move(to);
    return p.publisher().set_sites(changes);
  }

  /// What the agent says where the client has this site: one reply for each alternative.
  [[nodiscard]] std::set<octets> by_the_agent(const query& q, std::uint32_t site) const {
    std::set<octets> replies;
    for (const auto& one : says.at(site)) {
      const dns::fixed_mapping map{dns::decision(one)};
      replies.insert(
          dns::respond(p.zones(), {}, {}, q.message(), {.client = ip::make_address(q.source()), .map = &map}));
    }
    return replies;
  }

  /// The kernel's reply, the same from the native build, and both among the agent's.
  octets referred(const query& q, std::uint32_t site, std::uint32_t verdict = VERDICT_REFERRED) {
    const auto expected = by_the_agent(q, site);
    octets message;
    for (const auto& out : {p.in_kernel(q.frame()), p.natively(q.frame())}) {
      CHECK(out.verdict == verdict);
      CHECK(out.action == XDP_TX);
      const auto reply = take_apart(out.frame, q);
      CHECK(reply.fault == "");
      CHECK(expected.count(reply.message) == 1);
      message = reply.message;
    }
    return message;
  }

  void passed(const query& q, std::uint32_t verdict) {
    for (const auto& out : {p.in_kernel(q.frame()), p.natively(q.frame())}) {
      CHECK(out.verdict == verdict);
      CHECK(out.action == XDP_PASS);
      CHECK(out.frame == q.frame());
    }
  }

  program p;
  dataplane::client_table clients;
  std::map<std::uint32_t, std::vector<std::shared_ptr<const dns::referral>>> says;
};

unsigned count_at(const octets& message, std::size_t field) {
  return static_cast<unsigned>(message[field] << 8 | message[field + 1]);
}

const query WWW("www.lb.example.com");

}  // namespace

TEST_CASE("a client is referred to the edges of the longest row that covers it", "[bpf][sites]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  for (const char* owner : {"www.lb.example.com", "a.longer.name.lb.example.com", "auto.lb.example.com"}) {
    CAPTURE(owner);
    const auto reply = m.referred(query(owner).from("192.0.2.1"), 1);
    CHECK((reply[2] & 0x04) == 0);  // AA=0
    CHECK(count_at(reply, 6) == 0);
    CHECK(count_at(reply, 8) == 2);
    CHECK(count_at(reply, 10) == 4);
    m.referred(query(owner).from("192.0.2.99"), 2);
    m.referred(query(owner).over_ipv6(), 3);
    m.referred(query(owner).from("198.51.100.1"), 0);
    m.referred(query(owner).over_ipv6().from("2001:db8:d::1"), 0);
  }
  // Whatever is asked: at a zone cut there is nothing of ours but the referral.
  for (const int type : {2, 6, 15, 16, 28, 65}) m.referred(query(WWW).type(static_cast<std::uint16_t>(type)), 1);
  m.referred(query("wWw.Lb.eXample.com").vlan(5), 1);
}

TEST_CASE("EDNS, DO and ECS are echoed in a referral, ECS with scope 0 and without steering it",
          "[bpf][sites][ecs][rfc7871]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  m.referred(query(WWW).edns().dnssec_ok().cookie(), 1);
  m.referred(query(WWW).edns(4096).over_ipv6(), 3);
  const auto reply = m.referred(query(WWW).from("192.0.2.99").ecs("198.51.100.0", 24), 2);
  CHECK(reply[reply.size() - 4] == 0);
  m.referred(query(WWW).from("198.51.100.1").ecs("192.0.2.0", 24), 0);
}

TEST_CASE("a referral that exceeds what the client allows is truncated", "[bpf][sites][truncate][rfc9471]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  const std::string more(50, 'x');
  m.set(1, {to_edges(1, more, 3)});
  const auto reply = m.referred(WWW, 1, VERDICT_REFERRED_TRUNCATED);
  CHECK((reply[2] & 0x06) == 0x02);  // TC=1, AA=0
  CHECK(count_at(reply, 8) == 0);
  m.referred(query(WWW).edns(512), 1, VERDICT_REFERRED_TRUNCATED);
  m.referred(query(WWW).edns(1232), 1);
  m.set(1, {to_edges(1, more, 8)});
  m.referred(query(WWW).edns(4096), 1, VERDICT_REFERRED_TRUNCATED);
}

TEST_CASE("what the agent has to answer for a mapped name is passed", "[bpf][sites][pass]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  m.passed(query(WWW).type(43), VERDICT_PASS_NO_IMAGE);  // DS is the parent's
  m.passed(query("below.www.lb.example.com"), VERDICT_PASS_NAME);
  m.passed(query("direct.lb.example.com"), VERDICT_PASS_NAME);
  // Where ECS may tell more than the address, but SOURCE 0 tells nothing.
  m.passed(query("auto.lb.example.com").ecs("198.51.100.0", 24), VERDICT_PASS_CLIENT_SUBNET);
  m.passed(query("auto.lb.example.com").over_ipv6().ecs("2001:db8::", 32), VERDICT_PASS_CLIENT_SUBNET);
  m.referred(query("auto.lb.example.com").ecs("0.0.0.0", 0), 1);
  // A site without an answer.
  m.clients.put(mapped_program::row("192.0.2.0", 24, 7));
  m.passed(WWW, VERDICT_PASS_NO_IMAGE);
  // A site that the tables have no word for.
  m.clients.put(mapped_program::row("192.0.2.0", 24, 64));
  m.passed(WWW, VERDICT_PASS_NO_IMAGE);
  m.set(1, {});
  m.clients.put(mapped_program::row("192.0.2.0", 24, 1));
  m.passed(WWW, VERDICT_PASS_NO_IMAGE);
  // Nothing of this concerns other names.
  CHECK(m.p.in_kernel(query("plain.lb.example.com").frame()).verdict == VERDICT_ANSWERED);
}

TEST_CASE("a mapped name that is asked on a direct address is passed, others are answered there",
          "[bpf][sites][pass][direct]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  const std::vector ours{ip::make_address("198.51.100.52"), ip::make_address(OUR_IPV4), ip::make_address(OUR_IPV6),
                         ip::make_address("2001:db8:53::54")};
  const std::vector direct{ours[1], ours[3]};
  CHECK(dataplane::set_listen(m.p.tables(), 53, ours, direct).value());
  CHECK(dataplane::get_listen(m.p.tables()).direct == direct);
  m.passed(WWW, VERDICT_PASS_DIRECT);
  m.passed(query("auto.lb.example.com").ecs("198.51.100.0", 24), VERDICT_PASS_DIRECT);
  m.referred(query(WWW).to("198.51.100.52"), 1);
  m.referred(query(WWW).over_ipv6(), 3);
  m.passed(query(WWW).over_ipv6().to("2001:db8:53::54"), VERDICT_PASS_DIRECT);
  CHECK(m.p.in_kernel(query("plain.lb.example.com").frame()).verdict == VERDICT_ANSWERED);
  CHECK(dataplane::set_listen(m.p.tables(), 53, std::vector{ours[0]}, direct).error().kind == errc::invalid);
}

TEST_CASE("a client without a row gets the default's alternatives in their shares", "[bpf][sites]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  const auto unmapped = query(WWW).from("198.51.100.1");
  std::vector<site_change> changes;
  for (const auto& group : m.p.publisher().site_groups()) {
    answer_images images;
    for (const std::uint32_t first : {10u, 20u}) {
      images.images.push_back(dataplane::render_referral(m.p.zones(), group.representative, to_edges(first)).value());
    }
    // A quarter stays with the second one, the rest goes to the first.
    images.images[1].share = 0x7fff;
    images.images[1].other = 0;
    changes.push_back({group.number, 0, images});
  }
  CHECK(m.p.publisher().set_sites(changes).notes.empty());
  std::map<octets, int> seen;
  for (int i = 0; i < 2000; ++i) ++seen[take_apart(m.p.in_kernel(unmapped.frame()).frame, unmapped).message];
  REQUIRE(seen.size() == 2);
  m.says[0] = {to_edges(20)};
  CHECK(seen[*m.by_the_agent(unmapped, 0).begin()] > 400);
  CHECK(seen[*m.by_the_agent(unmapped, 0).begin()] < 600);
}

TEST_CASE("the kernel finds for random rows the site that a plain search finds, whatever comes and goes",
          "[bpf][sites][parity]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  for (std::uint32_t site = 0; site < 40; ++site) m.set(site, {to_edges(100 + 2 * site)});
  std::map<std::pair<ip::address, unsigned>, std::uint32_t> rows;
  load_rows(m.clients, {});
  std::mt19937 random(11);
  const auto draw = [&random](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); };
  const auto masked = [](std::uint64_t number, unsigned length, unsigned bits) {
    return length == 0 ? 0 : number >> (bits - length) << (bits - length);
  };
  const auto four = [](std::uint64_t n) -> ip::address { return ip::address_v4(static_cast<std::uint32_t>(n)); };
  const auto six = [](std::uint64_t n) -> ip::address {
    ip::address_v6::bytes_type bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(n >> (56 - 8 * i));
    bytes[15] = 1;
    return ip::address_v6(bytes);
  };
  const auto number4 = [&] { return std::uint64_t{0x64000000u | draw(2) << 16 | draw(4) << 8 | draw(256)}; };
  const auto number6 = [&] {
    return 0x20010db800000000u | std::uint64_t{draw(4)} << 30 | std::uint64_t{draw(4)} << 14 | draw(8);
  };
  constexpr std::array<unsigned, 6> lengths6{32, 34, 48, 50, 62, 64};
  for (int step = 0; step < 3000; ++step) {
    const bool v4 = step % 2 == 0;
    const unsigned length = v4 ? 8 + draw(25) : lengths6[draw(6)];
    const std::uint64_t number = v4 ? number4() : number6();
    const auto address = v4 ? four(masked(number, length, 32)) : [&] {
      auto bytes = six(masked(number, length, 64)).to_v6().to_bytes();
      bytes[15] = 0;
      return ip::address(ip::address_v6(bytes));
    }();
    if (draw(3) == 0) {
      m.clients.erase({address, static_cast<std::uint8_t>(length)});
      rows.erase({address, length});
    } else {
      const std::uint32_t site = 1 + draw(39);
      m.clients.put({{address, static_cast<std::uint8_t>(length)}, site, {}});
      rows[{address, length}] = site;
    }
    const std::uint64_t asked = v4 ? number4() : number6();
    std::uint32_t expected = 0;
    for (unsigned l = (v4 ? 32 : 64) + 1; l-- > 0 && expected == 0;) {
      auto key = v4 ? four(masked(asked, l, 32)) : six(masked(asked, l, 64));
      if (!v4) {
        auto bytes = key.to_v6().to_bytes();
        bytes[15] = 0;
        key = ip::address_v6(bytes);
      }
      if (const auto found = rows.find({key, l}); found != rows.end()) expected = found->second;
    }
    query q(WWW);
    if (!v4) q.over_ipv6();
    q.from((v4 ? four(asked) : six(asked)).to_string());
    const auto out = m.p.in_kernel(q.frame());
    CAPTURE(step, q.source());
    REQUIRE(out.action == XDP_TX);
    REQUIRE(take_apart(out.frame, q).message == *m.by_the_agent(q, expected).begin());
  }
  CHECK(m.clients.flush().value().notes.empty());
}

TEST_CASE("while sites and rows change, every referral is one that was true for the client", "[bpf][sites][torn]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  const query four = query(WWW).from("192.0.2.99"), six = query(WWW).over_ipv6().edns();
  // Site 5 is told other edges as well; nobody is ever at site 6.
  const auto first = to_edges(50), second = to_edges(60, "longer", 3), never = to_edges(70);
  m.set(6, {never});
  m.set(5, {second});
  std::set<octets> valid;
  for (const auto& q : {four, six}) {
    for (const std::uint32_t site : {0, 1, 2, 3, 5}) valid.merge(m.by_the_agent(q, site));
  }
  m.set(5, {first});
  for (const auto& q : {four, six}) valid.merge(m.by_the_agent(q, 5));

  std::atomic<bool> done = false;
  unsigned changes = 0, replies = 0, passed = 0, wrong = 0;
  std::thread changer([&] {
    for (; !done; ++changes) {
      if (changes % 2 == 0) {
        m.clients.put(mapped_program::row("192.0.2.99", 32, 5));
        m.clients.put(mapped_program::row("2001:db8:c::", 64, 5));
      } else {
        m.clients.erase(mapped_program::row("192.0.2.99", 32, 5).who);
        m.clients.erase(mapped_program::row("2001:db8:c::", 64, 5).who);
        // What is next to it fills the entries that have become free.
        m.clients.put(mapped_program::row("192.0.2.98", 32, 6));
        m.clients.erase(mapped_program::row("192.0.2.98", 32, 6).who);
      }
      if (changes % 8 == 0) m.set(5, {changes % 16 == 0 ? first : second});
      if (changes % 64 == 0) m.clients.flush().value();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  for (int i = 0; i < 30'000; ++i) {
    const auto& q = i % 2 == 0 ? four : six;
    const auto out = m.p.in_kernel(q.frame());
    if (out.action == XDP_PASS) ++passed;
    if (out.action != XDP_TX) continue;
    ++replies;
    const auto reply = take_apart(out.frame, q);
    if (reply.fault != "" || valid.count(reply.message) == 0) ++wrong;
  }
  done = true;
  changer.join();
  WARN(replies << " referrals and " << passed << " passed during " << changes << " changes");
  CHECK(wrong == 0);
  CHECK(changes > 100);
  CHECK(replies > 10'000);
}

TEST_CASE("an agent started again goes on from the referrals that are there", "[bpf][sites][adopt]") {
  REQUIRE_KERNEL_SIDE();
  mapped_program m;
  m.p.restart_publisher();
  m.referred(WWW, 1);
  auto stats = m.p.publish(mapped_zone());
  CHECK(stats.notes.empty());
  CHECK(stats.names_rebound == 0);
  // Its rows are found again by the words that lead to them, and count until the sites are told anew.
  REQUIRE(m.p.publisher().site_groups().size() == 2);
  for (const auto& group : m.p.publisher().site_groups()) CHECK(group.fresh);
  m.referred(WWW, 1);
  CHECK(m.set(1, {to_edges(1)}).unchanged());
  for (const auto& group : m.p.publisher().site_groups()) CHECK(group.rule.by_site);
  stats = m.p.publisher().forget_sites();
  CHECK(stats.site_answers_changed == 8);
  m.passed(WWW, VERDICT_PASS_NO_IMAGE);
  m.set(1, {to_edges(4)});
  m.referred(WWW, 1);
  // Without mapped names nothing of it is left.
  zone_builder plain("lb.example.com.");
  plain.servers("www.lb.example.com.", {"203.0.113.9"});
  m.p.publish(plain.alone());
  CHECK(m.p.in_kernel(query(WWW).frame()).verdict == VERDICT_ANSWERED);
  for (std::size_t i = 0; i < m.p.tables().capacity(dataplane::map_id::site_answers); ++i) {
    REQUIRE(m.p.tables().load_site_answer(i).alternatives == 0);
  }
}

TEST_CASE("mapped names for which there is no row of site answers, and sites beyond it, are left to the agent",
          "[bpf][sites][full]") {
  REQUIRE_KERNEL_SIDE();
  zone_builder z("lb.example.com.");
  std::vector<site_rule> several;
  for (std::uint32_t i = 0; i < 5; ++i) {
    z.mapped("n" + std::to_string(i) + ".lb.example.com.", i);
    several.push_back({true, false, 30 + i});
  }
  program p(z.alone(), several);
  CHECK(p.publisher().site_groups().size() == 3);
  const auto& group = p.publisher().site_groups()[0];
  const auto image = dataplane::render_referral(p.zones(), group.representative, to_edges(1)).value();
  CHECK(p.publisher().set_sites(std::vector<site_change>{{group.number, 63, {{image}, false}}}).notes.empty());
  CHECK(p.publisher().set_sites(std::vector<site_change>{{group.number, 64, {{image}, false}}}).notes.size() == 1);
  CHECK(p.publisher().set_sites(std::vector<site_change>{{3, 0, {{image}, false}}}).notes.size() == 1);
  int passed = 0;
  for (int i = 0; i < 5; ++i) {
    const auto out = p.in_kernel(query("n" + std::to_string(i) + ".lb.example.com").frame());
    passed += out.verdict == VERDICT_PASS_NO_IMAGE ? 1 : 0;
  }
  CHECK(passed == 5);
}

}  // namespace nearside::tests
