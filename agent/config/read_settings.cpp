// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_settings.hpp"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "agent/config/addresses.hpp"
#include "agent/config/wording.hpp"
#include "agent/dns/name.hpp"
#include "bpf/map_types.h"

namespace nearside::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_interfaces = 16;
constexpr std::size_t longest_interface = 15;          // IFNAMSIZ without its NUL
constexpr std::size_t longest_character_string = 255;  // RFC 1035 3.3
constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t most_connections = 65'536;
constexpr std::size_t most_pipelined = 1'000;
constexpr std::size_t longest_path = PATH_MAX - 1;
constexpr std::uint32_t fewest_entries = 16;

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> text{};
  if (::gethostname(text.data(), text.size() - 1) != 0) return "localhost";
  return text.data();
}

void read_node(table_reader& table, node_settings& node) {
  if (const auto found = table.text("name")) {
    if (const auto valid = dns::name::from_text(found->value); !valid)
      table.complain("name", found->at,
                     "expected a domain name, found " + in_quotes(found->value) + ": " + valid.error().message);
    // With escapes a name's text can be longer than the name, and it is the default of `id`.
    else if (found->value.size() > longest_character_string)
      table.complain("name", found->at, "expected at most 255 octets, found " + std::to_string(found->value.size()));
    node.name = found->value;
  }
  const auto character_string = [&](std::string_view key, std::string& field) {
    const auto found = table.text(key);
    if (!found) return;
    if (found->value.size() > longest_character_string)
      table.complain(key, found->at, "expected at most 255 octets, found " + std::to_string(found->value.size()));
    field = found->value;
  };
  node.id = node.name;
  character_string("id", node.id);
  character_string("version", node.version);
}

void read_interfaces(table_reader& table, std::vector<std::string>& interfaces) {
  const auto found = table.texts("interfaces");
  if (!found) return;
  if (found->value.size() > most_interfaces) {
    table.complain("interfaces", found->at,
                   "expected at most " + std::to_string(most_interfaces) + " interfaces, found " +
                       std::to_string(found->value.size()));
  }
  for (const auto& [text, at, last_line] : found->value) {
    // What the kernel accepts as a device's name (dev_valid_name).
    const bool valid = !text.empty() && text.size() <= longest_interface && text != "." && text != ".." &&
                       std::none_of(text.begin(), text.end(), [](char c) {
                         return c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' ';
                       });
    if (!valid)
      table.complain("interfaces", at,
                     "expected the name of a network interface of at most 15 octets, found " + in_quotes(text));
    else if (std::find(interfaces.begin(), interfaces.end(), text) != interfaces.end())
      table.complain("interfaces", at, in_quotes(text) + " is given twice");
    else
      interfaces.push_back(text);
  }
}

void read_listen(table_reader& table, std::vector<boost::asio::ip::address>& listen) {
  const auto found = table.texts("listen");
  if (!found) {
    if (!table.has("listen")) table.complain("listen", table.at(), "expected the addresses to answer on, found none");
    return;
  }
  if (found->value.empty()) table.complain("listen", found->at, "expected at least one address, found none");
  std::array<std::size_t, 2> of_family{};
  for (const auto& [text, at, last_line] : found->value) {
    const auto address = parse_host_address(text);
    if (!address) {
      table.complain("listen", at, address.error().message);
    } else if (std::find(listen.begin(), listen.end(), *address) != listen.end()) {
      table.complain("listen", at, in_quotes(text) + " is given twice");
    } else {
      listen.push_back(*address);
      if (++of_family.at(address->is_v6() ? 1 : 0) == MAX_LISTEN + 1) {
        table.complain("listen", at,
                       "expected at most " + std::to_string(MAX_LISTEN) + " addresses of each family, found the " +
                           std::to_string(MAX_LISTEN + 1) + "th " + (address->is_v6() ? "IPv6" : "IPv4") + " address");
      }
    }
  }
}

void read_edge(table_reader& table, edge_settings& edge) {
  constexpr std::array<std::string_view, 3> routes{"auto", "swap", "lookup"};
  constexpr std::array<std::string_view, 2> rules{"pass", "all"};
  read_interfaces(table, edge.interfaces);
  read_listen(table, edge.listen);
  table.integer_into<std::uint16_t>("port", edge.port, 1, 65'535);
  if (const auto lease = table.duration("lease", 1s, 1h)) edge.lease = lease->value;
  if (const auto route = table.one_of("replies", routes)) edge.replies = static_cast<reply_route>(*route);
  if (const auto rule = table.one_of("stale", rules)) edge.stale = static_cast<stale_rule>(*rule);
}

void read_serve(table_reader& table, serve_settings& serve) {
  table.integer_into<std::size_t>("tcp_connections", serve.tcp_connections, 1, most_connections);
  if (const auto idle = table.duration("tcp_idle", 100ms, 1h)) serve.tcp_idle = idle->value;
  table.integer_into<std::size_t>("tcp_pipeline", serve.tcp_pipeline, 1, most_pipelined);
}

void read_maps(table_reader& table, map_settings& maps) {
  // The largest maps of each kind take one or two gigabytes.
  const auto entries = [&](std::string_view key, std::uint32_t& field, std::uint32_t most) {
    table.integer_into<std::uint32_t>(key, field, fewest_entries, most);
  };
  entries("names", maps.names, 1u << 24);
  entries("long_names", maps.long_names, 1u << 22);
  entries("sets", maps.sets, 1u << 24);
  entries("small_images", maps.small_images, 1u << 24);
  entries("large_images", maps.large_images, 1u << 20);
  entries("clients", maps.clients, 1u << 22);
}

void read_control(table_reader& table, control_settings& control) {
  const auto found = table.text("socket");
  if (!found) return;
  const bool valid = found->value.starts_with('/') && found->value.size() <= longest_socket_path &&
                     found->value.find('\0') == std::string::npos;
  if (!valid) {
    table.complain("socket", found->at,
                   "expected an absolute path of at most " + std::to_string(longest_socket_path) + " octets, found " +
                       in_quotes(found->value));
  }
  control.socket = found->value;
}

void read_state(table_reader& table, state_settings& state) {
  const auto found = table.text("directory");
  if (!found) return;
  const bool valid = found->value.starts_with('/') && found->value.size() <= longest_path &&
                     found->value.find('\0') == std::string::npos;
  if (!valid) {
    table.complain("directory", found->at,
                   "expected an absolute path of at most " + std::to_string(longest_path) + " octets, found " +
                       in_quotes(found->value));
  }
  state.directory = found->value;
}

void read_record(table_reader& table, const std::filesystem::path& folder, record_settings& record) {
  const auto found = table.text("file");
  if (!found || found->value.empty()) return;
  if (found->value.size() > longest_path || found->value.ends_with('/') ||
      found->value.find('\0') != std::string::npos) {
    table.complain("file", found->at,
                   "expected the path of a file, of at most " + std::to_string(longest_path) + " octets, found " +
                       in_quotes(found->value));
    return;
  }
  record.file = folder / found->value;
}

/// Reads a section where it is there, and complains about its unknown keys.
template <typename Read>
void section(table_reader& root, std::string_view key, Read read) {
  if (auto table = root.table(key)) {
    read(*table);
    table->finish();
  }
}

}  // namespace

settings read_settings(table_reader& root, const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 4> levels{"error", "warn", "info", "debug"};
  settings all;
  all.node.name = host_name();
  all.node.id = all.node.name;
  section(root, "node", [&](table_reader& table) { read_node(table, all.node); });
  section(root, "edge", [&](table_reader& table) { read_edge(table, all.edge); });
  if (!root.has("edge"))
    root.complain("edge", {}, "expected a section [edge] with the addresses to answer on, found none");
  section(root, "serve", [&](table_reader& table) { read_serve(table, all.serve); });
  section(root, "maps", [&](table_reader& table) { read_maps(table, all.maps); });
  section(root, "events", [&](table_reader& table) {
    table.integer_into<std::uint32_t>("sample_interval", all.events.sample_interval, 0, 1'000'000'000);
  });
  section(root, "log", [&](table_reader& table) {
    if (const auto level = table.one_of("level", levels)) all.log.level = static_cast<log_level>(*level);
  });
  section(root, "control", [&](table_reader& table) { read_control(table, all.control); });
  section(root, "state", [&](table_reader& table) { read_state(table, all.state); });
  section(root, "record", [&](table_reader& table) { read_record(table, folder, all.record); });
  return all;
}

}  // namespace nearside::config
