// SPDX-License-Identifier: BSD-2-Clause
// What the configuration file can set, with the defaults. Plain values: made by load(), then only read, by any thread.
// docs/configuration.md has a line for each.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/mapping_settings.hpp"

namespace nearside::config {

/// How the kernel finds the way back for a reply.
enum class reply_route {
  automatic,  ///< swap while every route back leaves by the interface that the query came in on; else look it up
  swap,       ///< always to the MAC address that the query came from
  lookup,     ///< always a look-up in the kernel's routing table
};

/// What the kernel does past the lease, when the agent gave no sign of life for so long.
enum class stale_rule {
  pass,  ///< everything goes to the stack
  all,   ///< it answers with all servers of a name
};

enum class log_level { error, warn, info, debug };

/// [node]: what the node says of itself.
struct node_settings {
  std::string name;     // the host's name where it is not set
  std::string id;       // CH TXT id.server. and NSID; the name where it is not set
  std::string version;  // CH TXT version.bind.; empty: not told
};

/// [edge] or [backbone]: where queries are answered.
struct answering_settings {
  std::vector<std::string> interfaces;                  // the interfaces that the kernel program is expected on
  std::vector<boost::asio::ip::address> listen;         // at most MAX_LISTEN of each family, with `direct_listen`
  std::vector<boost::asio::ip::address> direct_listen;  // those of a backbone node that answer in the edges' stead
  std::uint16_t port = 53;
  std::chrono::milliseconds lease =
      std::chrono::seconds(10);  // the kernel answers this long after the agent's last sign of life
  reply_route replies = reply_route::automatic;
  stale_rule stale = stale_rule::pass;
};

/// [serve]: the agent's own sockets.
struct serve_settings {
  std::size_t tcp_connections = 1000;                             // at once
  std::chrono::milliseconds tcp_idle = std::chrono::seconds(10);  // a connection without a query is closed after this
  std::size_t tcp_pipeline = 32;  // queries of one connection in work at once (RFC 7766 6.2.1.1)
};

/// [maps]: how many entries the kernel's maps are made with. They cost memory from the start; a change needs new maps.
struct map_settings {
  std::uint32_t names = 65536;         // names of up to SHORT_QNAME octets
  std::uint32_t long_names = 4096;     // longer names
  std::uint32_t sets = 16384;          // different contents of a name
  std::uint32_t small_images = 65536;  // answers of up to SMALL_IMAGE_OCTETS
  // What is not set is as much as the role needs.
  std::optional<std::uint32_t> large_images;  // larger answers; with one for each site a backbone node can refer to all
  // For answers by site.
  std::optional<std::uint32_t> mapping4;     // mapping rows of IPv4 resolvers
  std::optional<std::uint32_t> mapping6;     // mapping rows of IPv6 resolvers
  std::optional<std::uint32_t> sites;        // different lists of edges
  std::optional<std::uint32_t> mapped_sets;  // different kinds of mapped names
};

/// [events]: samples of the queries.
struct event_settings {
  std::uint32_t sample_interval = 0;  // one query in so many; 0: none
};

/// [log]
struct log_settings {
  log_level level = log_level::info;
};

/// [control]: the socket that the command line speaks to.
struct control_settings {
  std::filesystem::path socket = "/run/nearside/control.sock";
};

/// [state]: what outlives a restart of the agent.
struct state_settings {
  std::filesystem::path directory = "/var/lib/nearside";  // administrative states, and what was measured
};

/// [record]: samples as JSON lines, for `nearside replay`.
struct record_settings {
  std::filesystem::path file;  // empty: none
};

/// The whole file but its zones and what it says about measuring.
struct settings {
  node_settings node;
  answering_settings answering;
  std::optional<backbone_settings> backbone;          // none: an edge node
  std::optional<registration_settings> registration;  // none: the edge tells nobody
  serve_settings serve;
  map_settings maps;
  event_settings events;
  log_settings log;
  control_settings control;
  state_settings state;
  record_settings record;
};

}  // namespace nearside::config
