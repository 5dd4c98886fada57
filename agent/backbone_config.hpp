// SPDX-License-Identifier: BSD-2-Clause
// From the configuration of a backbone node to the settings of its parts. Used when it starts and when it reloads.
#pragma once

#include <cstdint>
#include <memory>

#include "agent/backbone/directory.hpp"
#include "agent/backbone/etcd.hpp"
#include "agent/backbone/geo.hpp"
#include "agent/backbone/nonce_zone.hpp"
#include "agent/backbone/port_check.hpp"
#include "agent/base/result.hpp"
#include "agent/config/load.hpp"
#include "agent/https/server.hpp"
#include "agent/mapping/registry.hpp"

namespace nearside {

[[nodiscard]] https::tls_files tls_files_of(const config::tls_files& from);
[[nodiscard]] https::server_limits registration_limits_of(const config::backbone_settings& options);
[[nodiscard]] backbone::port_check_settings port_check_settings_of(const config::backbone_settings& options,
                                                                   std::uint16_t port);
[[nodiscard]] mapping::claim_settings claim_settings_of(const config::backbone_settings& options);
[[nodiscard]] mapping::registry_settings registry_settings_of(const config::loaded& from,
                                                              const mapping::secret_key& master);
/// nullptr: none is configured. Errors: those of geo::open().
[[nodiscard]] result<std::shared_ptr<const backbone::geo>> geo_of(const config::backbone_settings& options);
[[nodiscard]] backbone::directory_settings directory_settings_of(const config::loaded& from);
[[nodiscard]] backbone::nonce_zone_settings nonce_zone_settings_of(const config::loaded& from,
                                                                   const mapping::secret_key& master);
/// For a configuration with endpoints. Errors: a file of it that cannot be read, naming it.
[[nodiscard]] result<backbone::etcd_settings> etcd_settings_of(const config::loaded& from);

}  // namespace nearside
