// SPDX-License-Identifier: BSD-2-Clause
// A backbone node b1 with the zone lb.example.com, the mapped names www (auto), far (direct) and ref (referral),
// servers fra1, ams1 and lon1, and edges e1, e2, ... beside resolvers. A test asks as a client does, by messages.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/backbone/directory.hpp"
#include "agent/backbone/nonce_zone.hpp"
#include "agent/config/load.hpp"
#include "unit/dns/fixture.hpp"
#include "unit/mapping/registry_fixture.hpp"

namespace nearside::backbone {

using namespace std::chrono_literals;
using dns::strings;
using mapping::at;
using mapping::name_of;
using mapping::pre;

inline constexpr std::uint32_t www = 0, far = 1, ref = 2;

inline const std::string usual_configuration = R"(
[backbone]
listen = ["192.0.2.1", "192.0.2.251"]
nonce_zone = "b1.who.lb.example.com"
client_ca = "ca.pem"
certificate = "b1.pem"
key = "b1.key"

[[server]]
name = "fra1"
ipv4 = "203.0.113.80"
ipv6 = "2001:db8::80"
[[server]]
name = "ams1"
ipv4 = "203.0.113.81"
[[server]]
name = "lon1"
ipv4 = "203.0.113.82"

[[zone]]
name = "lb.example.com"
ns = ["b1.ns.lb.example.com"]
records = '''
b1.ns A 192.0.2.251
alias CNAME www
'''
[[zone.balance]]
name = "www"
mode = "auto"
servers = ["fra1", "ams1", "lon1"]
[[zone.balance]]
name = "far"
mode = "direct"
ttl = "10s"
servers = ["fra1", "ams1", "lon1"]
addresses = 1
[[zone.balance]]
name = "ref"
mode = "referral"
)";

inline name_server stand_in(const std::string& owner, const std::string& address) {
  const auto a = at(address);
  return {dns::name::from_text(owner).value(), node_of(std::span(&a, 1), 60)};
}

struct node {
  explicit node(const std::string& text = usual_configuration) {
    auto read = config::load_text(text, "backbone.toml");
    if (const auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
      for (const auto& p : *problems) UNSCOPED_INFO(to_string(p));
    }
    REQUIRE(std::holds_alternative<config::loaded>(read));
    configured = std::get<config::loaded>(std::move(read));
    settings.names = configured.mapped;
    settings.pools = configured.servers.pools;
    settings.direct_at = {at("192.0.2.251")};
    // Without a decision for them, pools answer with all their servers.
    for (const score::pool& p : settings.pools) {
      dns::pool_choice& all = pools.emplace_back();
      for (std::size_t family = 0; family < 2; ++family) {
        std::vector<std::uint8_t> order;
        for (std::size_t i = 0; i < p.families.at(family).addresses.size(); ++i)
          order.push_back(static_cast<std::uint8_t>(i));
        if (!order.empty()) all.families.at(family) = {dns::choice::kind::answer, false, 20, {{order}}};
      }
    }
  }

  /// What is registered so far comes into force.
  directory& dir() {
    if (made == nullptr) made = std::make_unique<directory>(settings, book.book, [this] { return now; });
    const auto changed = book.book.take_changes();
    made->edges_changed(changed.liveness);
    made->rows_changed(changed.rows.rows);
    return *made;
  }

  /// The edge registers, answers, and stands beside these resolvers.
  void edge(unsigned number, const std::vector<std::string>& egresses = {}) { book.usual(number, egresses, now); }
  void kill(unsigned number) { book.book.checked(book.id(number), mapping::service_of(number), "timeout", now); }
  void revive(unsigned number) { book.book.checked(book.id(number), mapping::service_of(number), "", now); }
  /// A row of the operator's table.
  void row(const std::string& prefix, const std::vector<unsigned>& edges) {
    std::uint32_t rank = 0;
    for (const unsigned number : edges)
      book.book.rows().put(pre(prefix),
                           {book.book.number_of(name_of(number)), mapping::source::table, std::nullopt, now, rank++});
  }
  /// The edge reports how it ranks the servers for the names, in IPv4.
  void report(unsigned number, const std::vector<std::uint32_t>& rank, std::uint32_t ttl = 5) {
    mapping::report told;
    told.servers = {"fra1", "ams1", "lon1"};
    for (const std::uint32_t server : rank) told.figures.push_back({server, 4, "up", 1.5 + server, 0.25, 2});
    told.answers = {{{"www.lb.example.com.", "far.lb.example.com."}, 4, ttl, rank}};
    report(number, std::move(told));
  }
  void report(unsigned number, mapping::report told) {
    mapping::report_message message;
    message.edge = name_of(number);
    message.sequence = ++book.sequence;
    message.content = std::move(told);
    REQUIRE(done(book.book.take(mapping::certificate(number), message, now)));
  }

  dns::reply ask(const dns::query_builder& q, const std::string& source, const std::string& destination = "192.0.2.1") {
    dns::request_context context;
    context.random = random;
    context.client = at(source);
    context.destination = at(destination);
    context.map = &dir();
    return dns::take_apart(dns::respond(*configured.zones, pools, {}, q.message, context));
  }
  dns::reply ask(const std::string& qname, const std::string& source, unsigned qtype = dns::rr_type::a) {
    return ask(dns::query_builder(qname, qtype), source);
  }
  /// The NS of the referral; or the addresses, with a "!" before each.
  strings told(const dns::reply& r) {
    strings short_ones;
    for (const std::string& line : r.answer) short_ones.push_back("!" + line.substr(line.rfind(' ') + 1));
    for (const std::string& line : r.authority) {
      if (line.find(" NS ") == std::string::npos) continue;
      const std::string server = line.substr(line.rfind(' ') + 1);
      short_ones.push_back(server.substr(0, server.find('.')));
    }
    return short_ones;
  }
  strings told(const std::string& qname, const std::string& source) { return told(ask(qname, source)); }

  config::loaded configured;
  directory_settings settings;
  dns::choices pools;
  mapping::backbone book;
  mapping::instant now{std::chrono::hours(500'000)};
  std::uint32_t random = 0;
  std::unique_ptr<directory> made;
};

/// ECS of an IPv4 prefix.
inline dns::query_builder with_subnet(const std::string& qname, const std::string& prefix,
                                      unsigned qtype = dns::rr_type::a) {
  const auto p = pre(prefix);
  const auto octets = p.address.to_v4().to_bytes();
  dns::octets value{0, 1, p.length, 0};
  value.insert(value.end(), octets.begin(), octets.begin() + (p.length + 7) / 8);
  return dns::query_builder(qname, qtype).opt(dns::option(8, value));
}
/// SCOPE PREFIX-LENGTH of the one option.
inline unsigned scope_of(const dns::reply& r) {
  REQUIRE(r.options.size() >= 8);
  return r.options[7];
}

/// Two edges; e1 is nearest to 198.51.100.1, where e2 stands as well; e2 alone beside 198.51.100.2.
struct two_edges : node {
  two_edges() {
    edge(1, {"198.51.100.1"});
    edge(2, {"198.51.100.1", "198.51.100.2"});
  }
};

/// The same with backbone nodes that stand in.
struct with_stand_ins : two_edges {
  with_stand_ins() {
    settings.direct_servers = {stand_in("d1.ns.lb.example.com", "192.0.2.251"),
                               stand_in("d2.ns.lb.example.com", "192.0.2.252")};
  }
};

}  // namespace nearside::backbone
