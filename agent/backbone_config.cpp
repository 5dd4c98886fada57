// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone_config.hpp"

#include <algorithm>

#include "agent/config/text_file.hpp"
#include "agent/dns/rr_type.hpp"
#include "agent/mapping/public_resolvers.hpp"

namespace nearside {
namespace {

constexpr std::uintmax_t longest_password = 4096;

/// A name server of ours: its addresses are in our own zones, or else found by whoever asks for them.
backbone::name_server direct_server(const dns::zone_set& zones, const std::string& text) {
  backbone::name_server server;
  server.owner = *dns::name::from_text(text);  // the configuration has been checked
  const dns::zone* zone = zones.enclosing(server.owner);
  const dns::node* at = zone == nullptr ? nullptr : zone->find(server.owner);
  if (at == nullptr) return server;
  for (const std::uint16_t type : {dns::rr_type::a, dns::rr_type::aaaa})
    if (const dns::rrset* addresses = at->find(type)) server.addresses.rrsets.push_back(*addresses);
  return server;
}

}  // namespace

https::tls_files tls_files_of(const config::tls_files& from) {
  return {.ca = from.ca, .certificate = from.certificate, .key = from.key};
}

https::server_limits registration_limits_of(const config::backbone_settings& options) {
  return {.connections = options.registration_connections};
}

backbone::port_check_settings port_check_settings_of(const config::backbone_settings& options, std::uint16_t port) {
  return {.interval = options.check_interval, .timeout = options.check_timeout, .port = port};
}

mapping::claim_settings claim_settings_of(const config::backbone_settings& options) {
  mapping::claim_settings claims;
  claims.longest_lease = options.longest_lease;
  claims.row_age = options.row_age;
  claims.public_resolvers = mapping::well_known_public_resolvers();
  claims.public_resolvers.insert(claims.public_resolvers.end(), options.public_resolvers.begin(),
                                 options.public_resolvers.end());
  for (const config::known_edge& edge : options.edges)
    if (!edge.egresses.empty()) claims.egresses_of.emplace(edge.name, edge.egresses);
  return claims;
}

mapping::registry_settings registry_settings_of(const config::loaded& from, const mapping::secret_key& master) {
  mapping::registry_settings settings;
  settings.node = from.options.node.name;
  settings.nonce_zone = from.options.backbone->nonce_zone;
  settings.master = master;
  settings.claims = claim_settings_of(*from.options.backbone);
  return settings;
}

result<std::shared_ptr<const backbone::geo>> geo_of(const config::backbone_settings& options) {
  if (options.maxmind.empty()) return std::shared_ptr<const backbone::geo>();
  return backbone::geo::open(options.maxmind);
}

backbone::directory_settings directory_settings_of(const config::loaded& from) {
  const config::backbone_settings& options = *from.options.backbone;
  backbone::directory_settings settings;
  settings.names = from.mapped;
  settings.pools = from.servers.pools;
  settings.direct_at = from.options.answering.direct_listen;
  for (const std::string& name : options.direct_ns) settings.direct_servers.push_back(direct_server(*from.zones, name));
  for (const config::known_edge& edge : options.edges) settings.weights.emplace(edge.name, edge.weight);
  settings.report_age = options.report_max_age;
  return settings;
}

backbone::nonce_zone_settings nonce_zone_settings_of(const config::loaded& from, const mapping::secret_key& master) {
  backbone::nonce_zone_settings settings;
  settings.apex = *dns::name::from_text(from.options.backbone->nonce_zone);
  settings.server = dns::name::from_text(from.options.node.name).value().lower();
  settings.mailbox = dns::name::from_text("hostmaster", settings.apex).value();
  const auto& direct = from.options.answering.direct_listen;
  for (const auto& address : from.options.answering.listen)
    if (std::find(direct.begin(), direct.end(), address) == direct.end()) settings.addresses.push_back(address);
  settings.master = master;
  return settings;
}

result<backbone::etcd_settings> etcd_settings_of(const config::loaded& from) {
  const config::etcd_settings& options = from.options.backbone->etcd;
  https::tls_files files;
  files.ca = options.ca;
  files.oldest = https::tls_version::tls12;
  auto tls = https::client_context(files);
  if (!tls) return tls.error();
  backbone::etcd_settings settings;
  for (const config::host_point& at : options.endpoints) {
    https::peer member;
    member.host = at.host;
    member.port = at.port;
    member.tls = *tls;
    settings.endpoints.push_back(std::move(member));
  }
  settings.user = options.user;
  if (!options.password_file.empty()) {
    auto password = config::read_file(options.password_file, longest_password);
    if (!password)
      return error{errc::invalid,
                   "etcd's password " + options.password_file.string() + ": " + password.error().message};
    while (!password->empty() && (password->back() == '\n' || password->back() == '\r')) password->pop_back();
    settings.password = std::move(*password);
  }
  settings.prefix = options.prefix;
  settings.node = from.options.node.name;
  settings.longest_lease = from.options.backbone->longest_lease;
  return settings;
}

}  // namespace nearside
