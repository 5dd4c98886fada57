// SPDX-License-Identifier: BSD-2-Clause
// What the configuration file can set about the mapping of resolvers to edges: [backbone] and [registration], with the
// defaults. Plain values: made by load(), then only read, by any thread. docs/configuration.md has a line for each.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/mapping/prefix.hpp"

namespace nearside::config {

using namespace std::chrono_literals;

/// Where a TCP service is.
struct service_point {
  boost::asio::ip::address address;
  std::uint16_t port = 0;

  friend bool operator==(const service_point&, const service_point&) = default;
};

/// PEM files of one side of a TLS connection, in which both show a certificate.
struct tls_files {
  std::filesystem::path ca;  // who signs the other side's certificates
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// [[backbone.edge]]: what the operator knows of one edge, beside what it registers.
struct known_edge {
  std::string name;                                   // lower case, final dot
  std::uint32_t weight = 1;                           // share of the clients that no row covers; 0: none
  std::optional<std::pair<double, double>> location;  // degrees of latitude and longitude
  std::vector<mapping::prefix> egresses;              // what it may claim; empty: any
};

/// Where a service is whose host is an address or a name.
struct host_point {
  std::string host;  // an address without brackets
  std::uint16_t port = 0;

  friend bool operator==(const host_point&, const host_point&) = default;
};

/// [backbone.etcd]: where backbone nodes share what they have accepted.
struct etcd_settings {
  std::vector<host_point> endpoints;  // by HTTPS; empty: nothing is shared
  std::filesystem::path ca;
  std::string user;  // empty: no authentication
  std::filesystem::path password_file;
  std::string prefix = "/nearside/edges/";

  friend bool operator==(const etcd_settings&, const etcd_settings&) = default;
};

/// A line of the operator's prefix table: these edges for these clients, the nearest first.
struct table_row {
  mapping::prefix who;
  std::vector<std::string> edges;  // lower case, final dot
};

/// [backbone]: its answering keys are in answering_settings.
struct backbone_settings {
  std::vector<std::string> direct_ns;  // NS names of the addresses that answer in the edges' stead, of all backbones
  std::string nonce_zone;              // lower case, final dot
  std::vector<service_point> registration_listen;
  std::size_t registration_connections = 4096;
  tls_files tls;
  std::chrono::seconds longest_lease = 1h;
  std::chrono::seconds row_age = 6h;  // an egress not seen for so long is no longer the edge's
  std::chrono::seconds report_max_age = 60s;
  std::chrono::milliseconds check_interval = 5s;  // of each edge's port 53
  std::chrono::milliseconds check_timeout = 1s;
  std::vector<mapping::prefix> public_resolvers;  // beside the well-known ones
  std::vector<table_row> prefix_table;
  std::filesystem::path maxmind;  // empty: none
  std::vector<known_edge> edges;
  etcd_settings etcd;
};

/// [[registration.backbone]]: where the edge registers.
struct registration_target {
  service_point point;
  std::string name;  // of its certificate, lower case, no final dot
};

/// [registration]: how an edge finds its resolvers and tells the backbone nodes.
struct registration_settings {
  std::vector<registration_target> backbones;
  tls_files tls;
  std::vector<boost::asio::ip::address> addresses;  // where it answers; those it listens on where not given
  std::vector<boost::asio::ip::address> resolvers;  // not empty: these, and no file is looked at
  std::filesystem::path resolv_conf = "/etc/resolv.conf";
  std::filesystem::path systemd_resolved = "/run/systemd/resolve/resolv.conf";
  std::chrono::seconds lifetime = 300s;
  std::uint32_t burst = 20;                 // nonce questions at once, when a resolver is new
  std::chrono::milliseconds trickle = 30s;  // between two later ones
  std::chrono::seconds row_age = 6h;
  std::chrono::seconds refresh = 30s;  // reports without a change
};

}  // namespace nearside::config
