// SPDX-License-Identifier: BSD-2-Clause
// The backbone node's book of edges: takes registrations, renewals, withdrawals, reports, sightings of nonces, results
// of port checks and records of other nodes in, and decides what is believed. Pure: time comes in, effects come out.
// Owned by the backbone, one thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/mapping/calendar.hpp"
#include "agent/mapping/edge_state.hpp"
#include "agent/mapping/messages.hpp"
#include "agent/mapping/prefix_set.hpp"
#include "agent/mapping/record.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::mapping {

/// What the operator may change while the registry is in use.
struct claim_settings {
  std::chrono::seconds longest_lease{3600};             // what is asked for beyond it is cut
  std::chrono::seconds row_age{std::chrono::hours(6)};  // an egress not seen for so long is no longer the edge's
  std::vector<prefix> public_resolvers;                 // nobody can claim what lies in these
  /// By edge: all that it may claim. An edge that is not here may claim whatever it can prove.
  std::unordered_map<std::string, std::vector<prefix>> egresses_of;
};

struct registry_settings {
  std::string node;        // our name; 1 to 255 octets
  std::string nonce_zone;  // "b1.who.lb.example.com."
  secret_key master{};
  std::size_t most_edges = 131'072;
  std::size_t most_sightings = 512;                  // egresses of one edge whose nonces are kept
  std::size_t most_reports = std::size_t{1} << 30U;  // octets in memory of all edges' reports
  std::chrono::seconds sighting_counts{600};         // a nonce seen so long ago still proves
  /// So long after the end of its lease an edge's sequence is known, so that what was late does not bring it back.
  std::chrono::seconds remembered{3600};
  claim_settings claims;
  bool local_addresses = false;  // loopback and link-local service addresses: for tests on one machine
};

/// Whom the client's certificate is for.
struct credentials {
  std::vector<std::string> names;                   // dNSName, lower case, final dot
  std::vector<boost::asio::ip::address> addresses;  // iPAddress; empty: any
};

class registry {
 public:
  explicit registry(registry_settings settings);
  ~registry();
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  /// For what comes from now on: what was accepted before stays until it is registered anew or ends.
  void configure(claim_settings claims);

  // ---- messages; each is all or nothing ----
  using refused = mapping::refused;
  template <typename T>
  using outcome = std::variant<T, refused>;

  /// The whole set of the edge's addresses and egresses. An egress counts
  /// - where a nonce that this edge made has been sighted from that address, one of the last most_nonces there and no
  ///   longer ago than `sighting_counts`; or
  /// - where the edge's record has it already, by an earlier registration or from another node: then it stays as old as
  /// it
  ///   is, and goes when it reaches `row_age`.
  /// The others are told with the reason, and do not hinder the rest: "bad_nonce" (another edge's, or forged),
  /// "not_seen", "public_resolver", "not_allowed" (no host's address). Refused: not_allowed, malformed (a service
  /// address that is no host's), too_large, stale_sequence, too_many.
  outcome<registered> accept(const credentials& who, const registration& message, instant now);
  /// Lengthens the lease. Refused: not_allowed, unknown_edge (also: its lease has ended), stale_sequence.
  outcome<registered> renew(const credentials& who, const registration& message, instant now);
  /// The edge is out of use at once; what is left is its sequence. An edge that is not known is known from now on as
  /// withdrawn: its registration may still be on the way. Refused: not_allowed, stale_sequence, too_many.
  outcome<std::monostate> withdraw(const credentials& who, std::string_view edge, std::uint64_t sequence, instant now);
  /// Reports have a mark of their own (see `registration`). Refused: not_allowed, unknown_edge, stale_sequence,
  /// too_many.
  outcome<std::monostate> take(const credentials& who, report_message message, instant now);
  /// A message was refused before it came here.
  void count_refusal(refusal why) noexcept { ++counters_.refused[static_cast<std::size_t>(why)]; }

  /// What the referrals of a client of this prefix (nothing: of any other) name as servers, with this TTL: it is asked
  /// for every answer to a registration or renewal. Without it those answers name none.
  using servers_of = std::function<std::vector<std::string>(const edge_state&, const prefix*)>;
  void tell_servers(servers_of ask, std::uint32_t ttl);

  // ---- what DNS shows ----
  /// The edge whose nonce this label is; nothing: it is nobody's, or that of one whose lease has ended.
  [[nodiscard]] std::optional<nonce> verified(std::string_view label) const;
  /// A verified nonce has proved that `egress` asks for that edge; a row of it is as new as that.
  void sighted(const nonce& seen, const boost::asio::ip::address& egress, instant now);
  /// Port 53 of a service address has been asked; `reason` empty: it answered well.
  void checked(edge_id edge, const boost::asio::ip::address& address, const std::string& reason, instant now);

  // ---- records of the store and of other backbone nodes ----
  /// Takes it where it is newer than what is known, or not known; false: it is not, or there is no room. The same
  /// record with newer proofs brings these. `trusted_alive`: kept from a moment ago by this node, so its edge is used
  /// before the first port check. What was adopted is not among the changed records: who calls knows where else it
  /// belongs.
  bool adopt(edge_record record, bool trusted_alive, instant now);

  // ---- the operator's table ----
  /// The number of an edge that may never have registered; it is good for as long as the registry lives.
  edge_id number_of(const std::string& name);

  // ---- time ----
  /// Ends leases and rows whose time is up, and forgets edges.
  void expire(instant now);
  /// When to call expire() next; nothing: there is nothing to end.
  [[nodiscard]] std::optional<instant> next_expiry() const { return calendar_.next(); }

  // ---- what is known ----
  [[nodiscard]] const table& rows() const noexcept { return rows_; }
  /// For the operator's rows (source::table); those with source::proved are the registry's.
  [[nodiscard]] table& rows() noexcept { return rows_; }
  /// Good until the edge is forgotten.
  [[nodiscard]] const edge_state* find(edge_id edge) const noexcept;
  [[nodiscard]] const edge_state* find(std::string_view name) const;
  /// In the order of the numbers.
  void for_each(const std::function<void(const edge_state&)>& visit) const;
  [[nodiscard]] bool alive(edge_id edge) const noexcept;

  /// What has changed since the last call, each edge once a list. A number of these lists may be of an edge that has
  /// been forgotten since: find() is nullptr. Such numbers are given to other edges only after this call.
  struct changes {
    std::vector<edge_id> records;  // by what came here: to be stored and shared
    // Edges that came into use or left it, have other addresses to give, or begin or end to be asked (is_asked()).
    std::vector<edge_id> liveness;
    std::vector<edge_id> reports;        // new ones, and those that are gone with their lease
    std::vector<std::string> forgotten;  // edges whose stored record is of no use any longer
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
  [[nodiscard]] const counters& count() const noexcept { return counters_; }

 private:
  struct entry;

  [[nodiscard]] entry* entry_of(edge_id edge) const noexcept;
  [[nodiscard]] entry* entry_of(std::string_view name) const;
  entry& add(const std::string& name);
  /// There is a place for one more registered edge; the one that ended first may be forgotten for it.
  bool make_room();
  void forget(entry& e);
  [[nodiscard]] const secret_key& key_of(entry& e) const;
  refused refuse(refusal why, std::string detail, std::optional<std::uint64_t> newest = {});
  [[nodiscard]] std::optional<refused> refusal_for(const credentials& who, std::string_view edge) const;
  [[nodiscard]] std::optional<refused> stale(std::uint64_t sequence, std::uint64_t newest) const;
  /// Why nobody, or not this edge, can claim it; nullptr: it may.
  [[nodiscard]] const char* forbidden(const std::string& edge, const prefix& egress) const;
  egress_verdict judge(entry& e, const egress_claim& claim, instant now, std::vector<egress_record>& proved);
  registered answer_for(entry& e, instant now, std::vector<egress_verdict> verdicts);

  void apply(entry& e, edge_record record, instant now);
  bool join(entry& e, const edge_record& same, instant now);
  void end(entry& e);
  void age(entry& e, instant now);
  void put(const entry& e, const egress_record& egress);
  void schedule(entry& e, instant now);
  void settle(entry& e, instant now);
  void drop_report(entry& e);
  void note(std::vector<edge_id>& list, bool& noted, edge_id edge);

  registry_settings settings_;
  prefix_set public_resolvers_;
  servers_of servers_of_;
  std::uint32_t ttl_ = 0;
  std::vector<std::unique_ptr<entry>> entries_;  // by number
  boost::unordered_flat_map<std::string_view, edge_id> numbers_;
  std::vector<edge_id> unused_;
  std::vector<edge_id> resting_;  // numbers of edges forgotten since take_changes()
  std::size_t registered_ = 0;    // entries with a record
  std::size_t reports_size_ = 0;
  table rows_;
  calendar calendar_;
  changes changes_;  // but for rows
  counters counters_;
};

}  // namespace nearside::mapping
