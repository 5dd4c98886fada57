// SPDX-License-Identifier: BSD-2-Clause
// Values that both ends of the mapping have in their sections: names, prefixes, service points, TLS files. Used by
// read_backbone() and read_registration().
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/mapping_settings.hpp"
#include "agent/config/toml_reader.hpp"
#include "agent/dns/name.hpp"

namespace nearside::config {

/// The port of registrations where none is given.
inline constexpr std::uint16_t registration_port = 8443;

/// A domain name in lower case with its final dot; what is none is noted.
std::optional<std::string> host_name_of(table_reader& table, std::string_view key, const located<std::string>& text);
/// The same of a key; nothing where it is absent.
std::optional<std::string> read_host_name(table_reader& table, std::string_view key);
std::vector<std::string> read_host_names(table_reader& table, std::string_view key, std::size_t most);

/// "192.0.2.1", "192.0.2.1:8443", "[2001:db8::1]:8443".
[[nodiscard]] result<service_point> parse_service_point(std::string_view text, std::uint16_t usual_port);

/// "https://192.0.2.9:2379", "https://[2001:db8::9]:2379", "https://etcd.example.net".
[[nodiscard]] result<host_point> parse_https(std::string_view text, std::uint16_t usual_port);

std::vector<mapping::prefix> read_prefixes(table_reader& table, std::string_view key, std::size_t most);
std::vector<boost::asio::ip::address> read_hosts(table_reader& table, std::string_view key, std::size_t most);

/// A path relative to the folder; where it is absent and `needed`, that is noted.
std::filesystem::path read_path(table_reader& table, std::string_view key, const std::filesystem::path& folder,
                                std::string_view needed = {});
/// `ca`, `certificate` and `key`. `ca_key`: what the first is called.
tls_files read_tls_files(table_reader& table, const std::filesystem::path& folder, std::string_view ca_key);

}  // namespace nearside::config
