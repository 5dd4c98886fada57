// SPDX-License-Identifier: BSD-2-Clause
// A backbone node's registry with edges e1, e2, ... that have registered, answer on port 53 and have proved an egress.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "agent/mapping/registry.hpp"
#include "unit/mapping/fixture.hpp"

namespace nearside::mapping {

inline std::string name_of(unsigned number) { return "e" + std::to_string(number) + ".ns.lb.example.com."; }
inline address service_of(unsigned number) { return at("192.0.2." + std::to_string(number)); }
inline credentials certificate(unsigned number) { return {{name_of(number)}, {}}; }

inline registry_settings settings_of(const std::string& node) {
  registry_settings s;
  s.node = node;
  s.nonce_zone = node + ".who.lb.example.com.";
  s.master.fill(static_cast<std::uint8_t>(node.back()));
  s.claims.public_resolvers = {pre("8.8.8.0/24"), pre("2001:4860::/32")};
  return s;
}

struct backbone {
  explicit backbone(registry_settings s = settings_of("b1")) : settings(std::move(s)), book(settings) {}

  registry_settings settings;
  registry book;
  std::uint64_t sequence = 1000;
  std::uint32_t counter = 0;

  registration message(unsigned number, const std::vector<egress_claim>& egresses = {}) {
    registration m;
    m.edge = name_of(number);
    m.sequence = ++sequence;
    m.lifetime = 300s;
    m.addresses = {service_of(number)};
    m.egresses = egresses;
    return m;
  }
  std::string label(unsigned number, std::uint32_t count) const {
    const edge_state* edge = book.find(name_of(number));
    return label_of({edge == nullptr ? 0 : edge->id, count}, key_of_edge(settings.master, name_of(number)));
  }
  /// The edge's next nonce is asked for from there.
  std::string sight(unsigned number, const std::string& egress, instant now) {
    const std::string made = label(number, ++counter);
    const auto seen = book.verified(made);
    REQUIRE(seen.has_value());
    book.sighted(*seen, at(egress), now);
    return made;
  }
  registered register_edge(unsigned number, const std::vector<egress_claim>& egresses, instant now) {
    const auto done = book.accept(certificate(number), message(number, egresses), now);
    REQUIRE(std::holds_alternative<registered>(done));
    return std::get<registered>(done);
  }
  /// Registered, checked, and each egress proved.
  void usual(unsigned number, const std::vector<std::string>& egresses, instant now) {
    register_edge(number, {}, now);
    std::vector<egress_claim> claims;
    for (const std::string& egress : egresses) claims.push_back({at(egress), sight(number, egress, now), std::nullopt});
    register_edge(number, claims, now);
    book.checked(id(number), service_of(number), "", now);
  }
  edge_id id(unsigned number) const { return book.find(name_of(number))->id; }
  const edge_state& edge(unsigned number) const { return *book.find(name_of(number)); }
  /// "198.51.100.53/32: e1 e2" for each row, by prefix; the claims in their order.
  std::vector<std::string> rows() const {
    std::map<prefix, std::string> found;
    book.rows().for_each([&](const row& r) {
      std::string& text = found[r.who];
      text = text_of(r.who) + ":";
      for (const claim& c : r.claims) {
        const std::string& name = book.find(c.edge)->record.edge;
        text += " " + name.substr(0, name.find('.'));
      }
    });
    std::vector<std::string> all;
    for (auto& [who, text] : found) all.push_back(text);
    return all;
  }
};

using texts = std::vector<std::string>;

template <typename T>
refused refusal_in(const std::variant<T, refused>& outcome) {
  REQUIRE(std::holds_alternative<refused>(outcome));
  return std::get<refused>(outcome);
}
template <typename T>
bool done(const std::variant<T, refused>& outcome) {
  return std::holds_alternative<T>(outcome);
}

}  // namespace nearside::mapping
