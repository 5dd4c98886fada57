// SPDX-License-Identifier: BSD-2-Clause
// The registered edges as DNS shows them: their names in wire form, the addresses that answer, who lives, in the order
// of the default. Follows the registry edge by edge. Owned by the directory, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/dns/mapping.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside::backbone {

/// A name server of referrals.
struct name_server {
  dns::name owner;
  dns::node addresses;  // A and AAAA
};

/// The RRsets of these addresses.
[[nodiscard]] dns::node node_of(std::span<const boost::asio::ip::address> addresses, std::uint32_t ttl);

class edge_book {
 public:
  using weight_table = std::unordered_map<std::string, std::uint32_t>;

  /// `weights`: by name, 1 where there is none. `ttl`: of the addresses, in seconds.
  edge_book(weight_table weights, std::uint32_t ttl);

  /// Takes the edge as it is now; nullptr: it is gone.
  void put(mapping::edge_id edge, const mapping::edge_state* state);
  /// Names that are as those of edges, always: of backbone nodes.
  void add(const name_server& fixed);

  /// As dns::mapping::find().
  [[nodiscard]] const dns::node* find(std::span<const std::uint8_t> owner) const noexcept;
  /// nullptr: it is not there, or may not be used.
  [[nodiscard]] const name_server* living(mapping::edge_id edge) const noexcept;
  /// Another one after each change of the edge, never 0; 0: it is not there.
  [[nodiscard]] std::uint64_t version_of(mapping::edge_id edge) const noexcept;

  /// Who lives and has a weight, the greatest weight first, then by name: at most `most`. Where all weights are 0: all.
  struct weighted {
    mapping::edge_id edge = 0;
    std::uint32_t weight = 1;
  };
  [[nodiscard]] std::vector<weighted> by_weight(std::size_t most) const;
  /// The living edge that follows this one in that order, in a circle; nothing: there is no other.
  [[nodiscard]] std::optional<mapping::edge_id> next_of(mapping::edge_id edge) const;

 private:
  struct place {
    std::uint32_t weight;
    std::string name;
    mapping::edge_id edge;

    friend bool operator<(const place& a, const place& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.name < b.name;
    }
  };
  struct entry {
    name_server server;
    std::string name;
    bool lives = false;
    std::uint64_t version = 0;
  };
  struct shown {
    dns::node at;
    std::size_t below = 0;  // names one label below, which keep it as an empty non-terminal
    std::size_t uses = 0;   // how often it is itself a name
  };

  void show(const name_server& server);
  void hide(const dns::name& owner);
  [[nodiscard]] place place_of(mapping::edge_id edge, const std::string& name) const;

  weight_table weights_;
  std::uint32_t ttl_;
  std::uint64_t versions_ = 0;
  std::unordered_map<mapping::edge_id, entry> edges_;
  std::set<place> order_;  // of those that live
  std::unordered_map<dns::name, shown, dns::name_hash, dns::name_equal> names_;
};

}  // namespace nearside::backbone
