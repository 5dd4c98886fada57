// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/mapping_values.hpp"

#include <algorithm>
#include <charconv>
#include <climits>

#include "agent/config/addresses.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

using boost::asio::ip::address;

constexpr std::size_t longest_path = PATH_MAX - 1;

/// The texts of an array of at most so many.
std::vector<located<std::string>> texts_of(table_reader& table, std::string_view key, std::size_t most) {
  auto found = table.texts(key);
  if (!found) return {};
  if (found->value.size() > most) {
    table.complain(key, found->at,
                   "expected at most " + std::to_string(most) + ", found " + std::to_string(found->value.size()));
    return {};
  }
  return std::move(found->value);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// "host", "host:port", "[IPv6 address]", "[IPv6 address]:port".
struct split_host {
  std::string_view host;
  std::optional<std::string_view> port;
};
std::optional<split_host> split(std::string_view text) {
  if (!text.starts_with('[')) {
    if (std::count(text.begin(), text.end(), ':') != 1) return split_host{text, std::nullopt};
    const auto colon = text.find(':');
    return split_host{text.substr(0, colon), text.substr(colon + 1)};
  }
  const auto end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const auto rest = text.substr(end + 1);
  if (!rest.empty() && rest.front() != ':') return std::nullopt;
  return split_host{text.substr(1, end - 1), rest.empty() ? std::nullopt : std::optional(rest.substr(1))};
}

/// Each text of an array, parsed; what does not parse, or is there twice, is noted.
template <typename Value>
std::vector<Value> read_each(table_reader& table, std::string_view key, std::size_t most,
                             result<Value> (*parse)(std::string_view)) {
  std::vector<Value> all;
  for (const auto& text : texts_of(table, key, most)) {
    const auto found = parse(text.value);
    if (!found)
      table.complain(key, text.at, found.error().message);
    else if (std::find(all.begin(), all.end(), *found) != all.end())
      table.complain(key, text.at, in_quotes(text.value) + " is given twice");
    else
      all.push_back(*found);
  }
  return all;
}

}  // namespace

std::optional<std::string> host_name_of(table_reader& table, std::string_view key, const located<std::string>& text) {
  const auto name = dns::name::from_text(text.value);
  if (!name) {
    table.complain(key, text.at,
                   "expected a domain name, found " + in_quotes(text.value) + ": " + name.error().message);
    return std::nullopt;
  }
  return name->lower().text();
}

std::optional<std::string> read_host_name(table_reader& table, std::string_view key) {
  const auto text = table.text(key);
  return text ? host_name_of(table, key, *text) : std::nullopt;
}

std::vector<std::string> read_host_names(table_reader& table, std::string_view key, std::size_t most) {
  std::vector<std::string> names;
  for (const auto& text : texts_of(table, key, most)) {
    const auto name = host_name_of(table, key, text);
    if (!name) continue;
    if (std::find(names.begin(), names.end(), *name) != names.end())
      table.complain(key, text.at, in_quotes(text.value) + " is given twice");
    else
      names.push_back(*name);
  }
  return names;
}

result<service_point> parse_service_point(std::string_view text, std::uint16_t usual_port) {
  const auto wrong = [&](const std::string& why) {
    return error{errc::invalid,
                 "expected an address, or an address and a port like \"192.0.2.1:8443\" or "
                 "\"[2001:db8::1]:8443\", found " +
                     in_quotes(text) + why};
  };
  const auto parts = split(text);
  if (!parts) return wrong("");
  const auto found = parse_host_address(parts->host);
  if (!found) return wrong("");
  const auto port = parts->port ? parse_port(*parts->port) : std::optional(usual_port);
  if (!port) return wrong(": a port is 1 to 65535");
  return service_point{*found, *port};
}

result<host_point> parse_https(std::string_view text, std::uint16_t usual_port) {
  constexpr std::string_view scheme = "https://";
  const auto wrong = [&](const std::string& why) {
    return error{errc::invalid, "expected an address like \"https://192.0.2.9:2379\", found " + in_quotes(text) + why};
  };
  if (!text.starts_with(scheme)) return wrong("");
  std::string_view authority = text.substr(scheme.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  const auto parts = split(authority);
  if (!parts || parts->host.empty() || parts->host.find('/') != std::string_view::npos) return wrong("");
  const bool is_address = parse_host_address(parts->host).has_value();
  if (!is_address && !dns::name::from_text(parts->host)) return wrong(": neither an address nor a domain name");
  const auto port = parts->port ? parse_port(*parts->port) : std::optional(usual_port);
  if (!port) return wrong(": a port is 1 to 65535");
  return host_point{std::string(parts->host), *port};
}

std::vector<mapping::prefix> read_prefixes(table_reader& table, std::string_view key, std::size_t most) {
  return read_each<mapping::prefix>(table, key, most, mapping::parse_prefix);
}

std::vector<address> read_hosts(table_reader& table, std::string_view key, std::size_t most) {
  return read_each<address>(table, key, most, parse_host_address);
}

std::filesystem::path read_path(table_reader& table, std::string_view key, const std::filesystem::path& folder,
                                std::string_view needed) {
  const auto found = table.text(key);
  if (!found) {
    if (!needed.empty() && !table.has(key)) table.complain(key, table.at(), "expected " + std::string(needed));
    return {};
  }
  const bool valid = !found->value.empty() && found->value.size() <= longest_path && !found->value.ends_with('/') &&
                     found->value.find('\0') == std::string::npos;
  if (!valid) {
    table.complain(
        key, found->at,
        "expected a path of at most " + std::to_string(longest_path) + " octets, found " + in_quotes(found->value));
    return {};
  }
  return folder / found->value;
}

tls_files read_tls_files(table_reader& table, const std::filesystem::path& folder, std::string_view ca_key) {
  tls_files files;
  files.ca =
      read_path(table, ca_key, folder, "the file of the CA that signs the other side's certificates, found none");
  files.certificate = read_path(table, "certificate", folder, "the file of our certificate, found none");
  files.key = read_path(table, "key", folder, "the file of our certificate's key, found none");
  return files;
}

}  // namespace nearside::config
