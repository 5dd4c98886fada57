// SPDX-License-Identifier: BSD-2-Clause
// The edge's place in the mapping: follows which resolvers the host uses, finds out from where those ask the world, and
// keeps that registered at each backbone node, with what the edge has measured. Owned by the daemon; runs on its
// executor, one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/https/tls_context.hpp"
#include "agent/mapping/discovery.hpp"
#include "agent/mapping/registrar.hpp"
#include "agent/mapping/report.hpp"
#include "agent/registration/resolver_watch.hpp"

namespace nearside::registration {

inline constexpr std::size_t most_backbones = 8;

struct backbone_settings {
  std::string name;  // for people: "b1"
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 443;
  std::string server_name;  // that its certificate is for; empty: the host
  https::tls_files tls;     // the CA of the backbone nodes, and the edge's own certificate and key
};

struct settings {
  std::string edge;                                 // our NS name, lower case, final dot: the certificate is for it
  std::vector<boost::asio::ip::address> addresses;  // where we answer; 1 to mapping::most_addresses
  std::vector<backbone_settings> backbones;         // 1 to most_backbones
  resolver_sources resolvers;
  mapping::discovery_settings discovery;
  mapping::registrar_settings registrar;  // `edge` is taken from above
  std::chrono::milliseconds question_timeout{5000};
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds request_timeout{5000};
  std::chrono::milliseconds withdraw_within{2000};
};

class registration {
 public:
  /// Called after servers_for() has come to answer otherwise.
  using told = std::function<void()>;

  /// Reads certificates and keys; nothing is sent yet. Errors: those of https::client_context(), with the backbone's
  /// name before them; invalid, a bound that is not kept.
  [[nodiscard]] static result<std::unique_ptr<registration>> make(boost::asio::any_io_executor executor, settings how,
                                                                  told servers_changed);
  ~registration();
  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;

  void start();
  /// Says good-bye to each backbone node, within `withdraw_within` in all; nothing is sent afterwards. Who merely lets
  /// this object go says nothing, so that an agent that is back soon finds its rows.
  [[nodiscard]] boost::asio::awaitable<void> withdraw();

  /// What has been measured. May be called for each change: what is sent when is seen to here.
  void set_report(mapping::report newest);
  void set_addresses(std::vector<boost::asio::ip::address> addresses);

  /// The NS RRset that the backbone nodes give to this client, for the apex of the cuts that we serve.
  struct name_servers {
    std::uint32_t ttl = 0;
    std::vector<std::string> names;  // lower case, final dot
  };
  /// From the newest answer of any backbone node; no names: none has answered yet.
  [[nodiscard]] name_servers servers_for(const boost::asio::ip::address& client) const;

  /// For `nearside egress` and `nearside status`:
  /// {edge, addresses, sequence,
  ///  resolvers: [{address, port, source, rtt_ms}], notes: [text], watch: "" or what cannot be watched,
  ///  egresses: [{address, prefix, age_s, known_s, rtt_ms, resolvers: [address],
  ///              backbones: [{name, state: "accepted" | "refused" | "pending", reason, proof_age_s}]}],
  ///  backbones: [{name, server, state, error, failures, sequence, lease_s, answered_s, reported_s, nonce_zone,
  ///  servers,
  ///               ttl, asking: [{resolver, family, asked, answered, burst, error}]}]}
  /// Figures that are not there are null.
  [[nodiscard]] boost::json::object status() const;

 private:
  struct state;
  explicit registration(std::shared_ptr<state> made);
  std::shared_ptr<state> state_;
};

}  // namespace nearside::registration
