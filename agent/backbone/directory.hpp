// SPDX-License-Identifier: BSD-2-Clause
// What a backbone node says of mapped names: who asks is looked up in the mapping table, and gets a referral to the
// edges of its row, or the answer that one of them reports. It decides for the answering sockets, for the publisher of
// the kernel's tables and for `nearside explain` alike. Owned by the backbone, one thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/backbone/edge_book.hpp"
#include "agent/backbone/report_answers.hpp"
#include "agent/backbone/scopes.hpp"
#include "agent/config/mapped_name.hpp"
#include "agent/dns/mapping.hpp"
#include "agent/mapping/registry.hpp"
#include "agent/score/settings.hpp"

namespace nearside::backbone {

class nonce_zone;

// In a class that is a dns::mapping, `mapping` is that class and not the room.
using mapping::edge_id;
using mapping::edge_state;
using mapping::instant;
using mapping::prefix;
using mapping::registry;
using mapping::row;
using mapping::row_change;
using mapping::site_id;

struct directory_settings {
  std::vector<config::mapped_name> names;           // by dns::node::mapped
  std::vector<score::pool> pools;                   // by config::mapped_name::pool
  std::vector<boost::asio::ip::address> direct_at;  // our addresses on which we are asked as a name server of the cuts
  std::vector<name_server> direct_servers;          // the names of such addresses, of all backbone nodes
  edge_book::weight_table weights;                  // of edges in the default, by name
  std::chrono::seconds report_age{60};              // an older report is not used
  std::uint32_t address_ttl = 60;                   // of the edges' own names, in seconds
};

class directory final : public dns::mapping {
 public:
  using clock = std::function<instant()>;
  /// The edges nearest to an address by other knowledge than the table's, at most most_edges_in_row; none: not known.
  using nearest = std::function<std::vector<edge_id>(const boost::asio::ip::address&)>;

  /// `book` must outlive it.
  directory(directory_settings settings, const registry& book, clock now);
  ~directory() override;
  /// Answers the names of the nonce zone as well.
  void serve(std::shared_ptr<const nonce_zone> who) { who_ = std::move(who); }
  /// Where the table has no row for a client.
  void locate_by(nearest find) { nearest_ = std::move(find); }

  // ---- what has changed (registry::changes) ----
  void edges_changed(std::span<const edge_id> edges);
  void rows_changed(std::span<const row_change> rows);

  // ---- dns::mapping ----
  [[nodiscard]] dns::decision decide(std::uint32_t mapped, const dns::origin& asked,
                                     const dns::draw_numbers& by) const override;
  [[nodiscard]] const dns::node* find(std::span<const std::uint8_t> owner) const override;
  [[nodiscard]] const dns::rrset* servers_at(const dns::zone& child, const dns::origin& asked) const override;
  [[nodiscard]] std::shared_ptr<const dns::made_answer> make(const dns::name& qname, std::uint16_t qtype,
                                                             const dns::origin& asked) const override;

  // ---- for the publisher ----
  /// The referral of the clients of a site; nullptr: they get what those of the default site get. `ttl`:
  /// config::mapped_name::referral_ttl.
  [[nodiscard]] std::shared_ptr<const dns::referral> referral_of(site_id site, std::uint32_t ttl) const;
  /// The referrals of the default site. One is drawn by dns::draw() with `shares`, which has an alternative for each.
  /// None: there is nobody to refer to, and the answer is the pool's.
  struct alternatives {
    std::vector<std::shared_ptr<const dns::referral>> referrals;
    std::vector<dns::alternative> shares;
  };
  [[nodiscard]] alternatives default_alternatives(std::uint32_t ttl) const;
  /// The default depends on the client's address, so only the agent can answer it.
  [[nodiscard]] bool default_by_address() const noexcept { return nearest_ != nullptr; }
  /// The sites whose referrals may be others since these edges changed; the default site may always be.
  struct changed_sites {
    std::vector<site_id> theirs;  // have one of these edges; a site may be in both, and more than once
    std::vector<site_id> lonely;  // have one living edge and no stand-ins: its second server may be another one
  };
  [[nodiscard]] changed_sites sites_changed_by(std::span<const edge_id> edges) const;

  // ---- for the registration (registry::servers_of) and the command line ----
  [[nodiscard]] std::vector<std::string> servers_of(const edge_state& edge, const prefix* who) const;
  /// Why a client gets what it gets: `nearside explain NAME --resolver IP [--client PREFIX]`. Error: no mapped name.
  [[nodiscard]] result<boost::json::object> explain(const dns::name& name, const boost::asio::ip::address& resolver,
                                                    const std::optional<prefix>& client) const;

 private:
  using edge_list = std::vector<edge_id>;

  /// What is known of who asks.
  struct asker {
    edge_list by_resolver;  // edges near the source address
    edge_list by_client;    // edges near the client's prefix, where ECS has one
    std::optional<prefix> client;
    std::uint8_t client_scope = 0;  // of an answer to it
    const row* resolver_row = nullptr;
    const row* client_row = nullptr;
    bool at_direct = false;  // as a name server of the cut
  };
  /// How a client gets its answer: decide() carries it out, explain() tells it.
  struct reasons {
    enum class kind : std::uint8_t { referral, direct, pool };
    kind what = kind::pool;
    const char* why = "";
    bool by_client = false;                  // the client's prefix has decided
    bool by_default = false;                 // `servers` are the default's
    edge_list servers;                       // of the referral, or of the cut's NS
    edge_id reporting = 0;                   // direct: whose report
    std::optional<dns::pool_choice> choice;  // direct
    std::uint8_t scope = 0;
  };

  [[nodiscard]] edge_list near_to(const boost::asio::ip::address& where, const row* known) const;
  [[nodiscard]] asker asker_of(const boost::asio::ip::address& source, const std::optional<prefix>& client) const;
  [[nodiscard]] reasons reason(std::uint32_t mapped, const asker& who, const dns::draw_numbers& by) const;
  bool answer_directly(std::uint32_t mapped, const edge_list& near, reasons& r) const;
  void refer(const edge_list& near, const dns::draw_numbers& by, reasons& r) const;
  [[nodiscard]] dns::decision carry_out(const reasons& r, bool as_child, std::uint32_t ttl) const;

  [[nodiscard]] edge_list servers_near(std::span<const edge_id> near) const;
  [[nodiscard]] std::shared_ptr<const dns::referral> referral_to(const edge_list& edges, std::uint32_t ttl) const;
  [[nodiscard]] dns::referral render(const edge_list& edges, std::uint32_t ttl) const;
  [[nodiscard]] bool is_fresh(const edge_state& edge) const;

  [[nodiscard]] boost::json::object edge_json(edge_id number, std::uint32_t mapped) const;
  [[nodiscard]] boost::json::object row_json(const row& one) const;
  [[nodiscard]] boost::json::object answer_json(const reasons& r, std::uint32_t mapped) const;

  /// The default: the servers of each alternative. Made anew when an edge has changed.
  struct defaults {
    std::vector<edge_list> servers;
    std::vector<dns::alternative> shares;
  };
  [[nodiscard]] const defaults& current_defaults() const;

  /// Referrals as they were rendered, by their servers, good as long as none of these has changed.
  struct rendered_key {
    edge_list edges;
    std::uint32_t ttl = 0;
    friend bool operator==(const rendered_key&, const rendered_key&) = default;
  };
  struct rendered_hash {
    std::size_t operator()(const rendered_key& k) const noexcept;
  };
  struct rendered {
    std::vector<std::uint64_t> versions;  // of the edges
    std::shared_ptr<const dns::referral> is;
  };

  directory_settings settings_;
  const registry& registry_;
  clock now_;
  edge_book edges_;
  scopes scopes_;
  report_answers reports_;
  std::shared_ptr<const nonce_zone> who_;
  nearest nearest_;
  std::unordered_map<dns::name, std::uint32_t, dns::name_hash, dns::name_equal> numbers_;  // of the mapped names
  mutable std::optional<defaults> defaults_;
  mutable std::unordered_map<rendered_key, rendered, rendered_hash> rendered_;
};

}  // namespace nearside::backbone
