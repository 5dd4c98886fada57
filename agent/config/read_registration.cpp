// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <array>

#include "agent/config/addresses.hpp"
#include "agent/config/mapping_values.hpp"
#include "agent/config/read_mapping.hpp"
#include "agent/config/wording.hpp"
#include "agent/mapping/messages.hpp"
#include "agent/mapping/record.hpp"

namespace nearside::config {
namespace {

constexpr std::size_t most_backbones = 8;
constexpr std::size_t most_resolvers = 8;

registration_target read_target(table_reader& table) {
  registration_target target;
  const auto address = table.text("address");
  if (address) {
    if (const auto point = parse_service_point(address->value, registration_port))
      target.point = *point;
    else
      table.complain("address", address->at, point.error().message);
  } else if (!table.has("address")) {
    table.complain("address", table.at(), "expected the backbone node's address, found none");
  }
  if (auto name = read_host_name(table, "name"))
    target.name = std::move(*name);
  else if (!table.has("name"))
    table.complain("name", table.at(), "expected the name in the backbone node's certificate, found none");
  return target;
}

void read_targets(table_reader& table, registration_settings& all) {
  auto tables = table.tables("backbone");
  if (tables.empty() && !table.has("backbone"))
    table.complain("backbone", table.at(), "expected a [[registration.backbone]] to register at, found none");
  if (tables.size() > most_backbones) {
    table.complain("backbone", table.at("backbone"),
                   "expected at most " + std::to_string(most_backbones) + " backbone nodes, found " +
                       std::to_string(tables.size()));
    tables.erase(tables.begin() + most_backbones, tables.end());
  }
  for (table_reader& one : tables) {
    auto target = read_target(one);
    const bool twice = std::any_of(all.backbones.begin(), all.backbones.end(),
                                   [&](const registration_target& t) { return t.point == target.point; });
    if (twice && !target.point.address.is_unspecified())
      one.complain("address", one.at("address"), in_quotes(target.point.address.to_string()) + " is given twice");
    one.finish();
    all.backbones.push_back(std::move(target));
  }
}

void read_watched(table_reader& table, const std::filesystem::path& folder, registration_settings& all) {
  all.resolvers = read_hosts(table, "resolvers", most_resolvers);
  if (table.has("resolv_conf")) all.resolv_conf = read_path(table, "resolv_conf", folder);
  if (table.has("systemd_resolved")) all.systemd_resolved = read_path(table, "systemd_resolved", folder);
}

}  // namespace

registration_settings read_registration(table_reader& table, const std::filesystem::path& folder,
                                        const answering_settings& answering) {
  registration_settings all;
  read_targets(table, all);
  all.tls = read_tls_files(table, folder, "ca");
  all.addresses = read_hosts(table, "addresses", mapping::most_addresses);
  if (!table.has("addresses")) {
    all.addresses = answering.listen;
    // Nobody else can reach these.
    std::erase_if(all.addresses, [](const boost::asio::ip::address& a) { return a.is_loopback(); });
    if (all.addresses.size() > mapping::most_addresses) all.addresses.resize(mapping::most_addresses);
  }
  if (all.addresses.empty())
    table.complain("addresses", table.at(), "expected an address that resolvers can reach, found none");
  read_watched(table, folder, all);
  if (const auto time = table.seconds("lifetime", mapping::least_lifetime, mapping::most_lifetime))
    all.lifetime = std::chrono::seconds(time->value);
  table.integer_into<std::uint32_t>("burst", all.burst, 1, 1'000);
  if (const auto time = table.duration("trickle", 100ms, 1h)) all.trickle = time->value;
  if (const auto time = table.seconds("row_age", 10s, std::chrono::hours(168)))
    all.row_age = std::chrono::seconds(time->value);
  if (const auto time = table.seconds("refresh", 1s, 10min)) all.refresh = std::chrono::seconds(time->value);
  return all;
}

}  // namespace nearside::config
