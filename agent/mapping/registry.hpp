// SPDX-License-Identifier: BSD-2-Clause
// The backbone node's book of edges: takes registrations, renewals, withdrawals, reports, sightings of nonces, results
// of port checks and records of other nodes in, and decides what is believed. Pure: time comes in, effects come out.
// Owned by the backbone, one thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "agent/mapping/messages.hpp"
#include "agent/mapping/record.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::mapping {

struct registry_settings {
  std::string node;        // our name
  std::string nonce_zone;  // "b1.who.lb.example.com."
  secret_key master{};
  std::size_t most_edges = 131'072;
  std::chrono::seconds longest_lease{3600};
  std::chrono::seconds sighting_counts{600};  // a nonce seen so long ago still proves
  std::chrono::seconds row_age{6 * 3600};     // an egress not seen for so long is no longer the edge's
  std::vector<prefix> public_resolvers;       // nobody can claim what lies in these
};

/// Whom the client's certificate is for.
struct credentials {
  std::vector<std::string> names;                   // dNSName, lower case, final dot
  std::vector<boost::asio::ip::address> addresses;  // iPAddress; empty: any
};

/// Whether an edge may be used, and why not. `checking`: registered, but its port 53 has not answered yet.
enum class liveness : std::uint8_t { alive, checking, port_dead, expired, withdrawn };
[[nodiscard]] std::string_view text_of(liveness l) noexcept;

/// One service address and what its port 53 said.
struct service_address {
  boost::asio::ip::address address;
  bool answers = false;
  std::string reason;  // of the newest failure
  std::optional<instant> checked;
};

struct edge_state {
  edge_id id = 0;
  edge_record record;
  liveness state = liveness::checking;
  std::vector<service_address> services;
  std::optional<report> reported;
  std::uint64_t report_sequence = 0;
  instant reported_at;
};

class registry {
 public:
  explicit registry(registry_settings settings);

  // ---- messages; each is all or nothing ----
  struct refused {
    refusal why = refusal::malformed;
    std::string detail;
  };
  template <typename T>
  using outcome = std::variant<T, refused>;
  /// What the referrals of a client of this prefix (nothing: of any other) name as servers: asked for the answer.
  using servers_of = std::function<std::vector<std::string>(const edge_state&, const prefix*)>;

  outcome<registered> accept(const credentials& who, const registration& message, instant now);
  outcome<registered> renew(const credentials& who, const registration& message, instant now);
  outcome<std::monostate> withdraw(const credentials& who, std::string_view edge, std::uint64_t sequence, instant now);
  outcome<std::monostate> take(const credentials& who, report_message message, instant now);

  // ---- what DNS shows ----
  /// The edge whose nonce this label is; nothing: it is nobody's.
  [[nodiscard]] std::optional<nonce> verified(std::string_view label) const;
  /// A nonce has proved that `egress` asks for that edge.
  void sighted(const nonce& seen, const boost::asio::ip::address& egress, instant now);
  /// Port 53 of a service address has been asked; `reason` empty: it answered well.
  void checked(edge_id edge, const boost::asio::ip::address& address, const std::string& reason, instant now);

  // ---- records of the store and of other backbone nodes ----
  /// Takes it where it is newer than what is known, or not known; false: it is not. `trusted_alive`: kept from a moment
  /// ago by this node, so its edge is used before the first port check.
  bool adopt(edge_record record, bool trusted_alive, instant now);

  // ---- time ----
  /// Ends leases and rows whose time is up.
  void expire(instant now);
  /// When to call expire() next; nothing: there is nothing to end.
  [[nodiscard]] std::optional<instant> next_expiry() const;

  // ---- what is known ----
  [[nodiscard]] const table& rows() const noexcept;
  [[nodiscard]] table& rows() noexcept;
  [[nodiscard]] const edge_state* find(edge_id edge) const noexcept;
  [[nodiscard]] const edge_state* find(std::string_view name) const;
  void for_each(const std::function<void(const edge_state&)>& visit) const;
  /// By number of the edges that may be used.
  [[nodiscard]] bool alive(edge_id edge) const noexcept;

  /// What has changed since the last call.
  struct changes {
    std::vector<edge_id> records;   // to be stored and shared
    std::vector<edge_id> liveness;  // edges that came into use or left it, or have other addresses
    std::vector<edge_id> reports;
    table::changes rows;
  };
  [[nodiscard]] changes take_changes();

  /// Messages by what became of them.
  struct counters {
    std::uint64_t registered = 0, renewed = 0, withdrawn = 0, reported = 0;
    std::array<std::uint64_t, refusal_count> refused{};
    std::uint64_t egresses_refused = 0;
    std::uint64_t sightings = 0;
  };
  [[nodiscard]] const counters& count() const noexcept;
};

}  // namespace nearside::mapping
