// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <unordered_set>

#include "agent/config/mapping_values.hpp"
#include "agent/config/prefix_table.hpp"
#include "agent/config/read_mapping.hpp"
#include "agent/config/wording.hpp"
#include "agent/mapping/messages.hpp"

namespace nearside::config {
namespace {

constexpr std::size_t most_direct_names = 8;
constexpr std::size_t most_registration_points = 8;
constexpr std::size_t most_prefixes = 10'000;
constexpr std::size_t most_known_edges = 131'072;
constexpr std::size_t most_endpoints = 16;
constexpr std::uint16_t etcd_port = 2379;  // IANA: etcd-client

void read_registration_listen(table_reader& table, const answering_settings& answering, backbone_settings& all) {
  const auto found = table.texts("registration_listen");
  if (!table.has("registration_listen")) {
    for (const auto& address : answering.listen) {
      const auto& direct = answering.direct_listen;
      if (std::find(direct.begin(), direct.end(), address) == direct.end())
        all.registration_listen.push_back({address, registration_port});
    }
  }
  if (!found) return;
  if (found->value.size() > most_registration_points)
    table.complain("registration_listen", found->at,
                   "expected at most " + std::to_string(most_registration_points) + " addresses");
  for (const auto& text : found->value) {
    if (const auto point = parse_service_point(text.value, registration_port))
      all.registration_listen.push_back(*point);
    else
      table.complain("registration_listen", text.at, point.error().message);
  }
}

void read_location(table_reader& table, known_edge& edge) {
  const auto half = [&](std::string_view key, double most) { return table.number(key, -most, most); };
  const auto latitude = half("latitude", 90);
  const auto longitude = half("longitude", 180);
  if (latitude && longitude) edge.location = {latitude->value, longitude->value};
  if (table.has("latitude") != table.has("longitude"))
    table.complain("latitude", table.at(), "expected latitude and longitude, found one of the two");
}

void read_known_edges(table_reader& table, backbone_settings& all) {
  auto tables = table.tables("edge");
  if (tables.size() > most_known_edges) {
    table.complain("edge", table.at("edge"), "expected at most " + std::to_string(most_known_edges) + " edges");
    return;
  }
  std::unordered_set<std::string> names;
  for (table_reader& one : tables) {
    known_edge edge;
    if (auto name = read_host_name(one, "name")) {
      edge.name = std::move(*name);
      if (!names.insert(edge.name).second)
        one.complain("name", one.at("name"), in_quotes(edge.name) + " is given twice");
    } else if (!one.has("name")) {
      one.complain("name", one.at(), "expected the edge's name, found none");
    }
    one.integer_into<std::uint32_t>("weight", edge.weight, 0, 1'000'000);
    read_location(one, edge);
    edge.egresses = read_prefixes(one, "egresses", most_prefixes);
    one.finish();
    all.edges.push_back(std::move(edge));
  }
}

void read_etcd(table_reader& table, const std::filesystem::path& folder, etcd_settings& etcd) {
  if (const auto found = table.texts("endpoints")) {
    if (found->value.empty() || found->value.size() > most_endpoints)
      table.complain("endpoints", found->at, "expected 1 to " + std::to_string(most_endpoints) + " addresses");
    for (const auto& text : found->value) {
      if (auto point = parse_https(text.value, etcd_port))
        etcd.endpoints.push_back(std::move(*point));
      else
        table.complain("endpoints", text.at, point.error().message);
    }
  } else if (!table.has("endpoints")) {
    table.complain("endpoints", table.at(), "expected the addresses of etcd's nodes, found none");
  }
  etcd.ca = read_path(table, "ca", folder, "the file of the CA that signs etcd's certificates, found none");
  if (const auto user = table.text("user")) etcd.user = user->value;
  etcd.password_file = read_path(table, "password_file", folder);
  if (table.has("user") != table.has("password_file"))
    table.complain("user", table.at(), "expected user and password_file, found one of the two");
  if (const auto prefix = table.text("prefix")) {
    if (!prefix->value.starts_with('/') || !prefix->value.ends_with('/') || prefix->value.size() > 200)
      table.complain("prefix", prefix->at,
                     "expected a prefix of keys like \"/nearside/edges/\", found " + in_quotes(prefix->value));
    etcd.prefix = prefix->value;
  }
}

}  // namespace

backbone_settings read_backbone(table_reader& table, const std::filesystem::path& folder,
                                const answering_settings& answering) {
  backbone_settings all;
  all.direct_ns = read_host_names(table, "direct_ns", most_direct_names);
  if (auto zone = read_host_name(table, "nonce_zone"))
    all.nonce_zone = std::move(*zone);
  else if (!table.has("nonce_zone"))
    table.complain("nonce_zone", table.at(),
                   "expected this node's zone for nonces, like \"b1.who.lb.example.com\", found none");
  read_registration_listen(table, answering, all);
  table.integer_into<std::size_t>("registration_connections", all.registration_connections, 1, 131'072);
  all.tls = read_tls_files(table, folder, "client_ca");
  const auto seconds = [&](std::string_view key, std::chrono::seconds& field, std::chrono::seconds least,
                           std::chrono::seconds most) {
    if (const auto time = table.seconds(key, least, most)) field = std::chrono::seconds(time->value);
  };
  seconds("longest_lease", all.longest_lease, mapping::least_lifetime, mapping::most_lifetime);
  seconds("row_age", all.row_age, 10s, std::chrono::hours(168));
  seconds("report_max_age", all.report_max_age, 1s, 1h);
  if (const auto time = table.duration("check_interval", 100ms, 10min)) all.check_interval = time->value;
  if (const auto time = table.duration("check_timeout", 10ms, 10s)) all.check_timeout = time->value;
  all.public_resolvers = read_prefixes(table, "public_resolvers", most_prefixes);
  read_prefix_table(table, folder, all.prefix_table);
  all.maxmind = read_path(table, "maxmind", folder);
  read_known_edges(table, all);
  if (auto etcd = table.table("etcd")) {
    read_etcd(*etcd, folder, all.etcd);
    etcd->finish();
  }
  return all;
}

}  // namespace nearside::config
