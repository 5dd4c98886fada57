// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_settings.hpp"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "agent/config/read_answering.hpp"
#include "agent/config/read_mapping.hpp"
#include "agent/config/wording.hpp"
#include "agent/dns/name.hpp"

namespace nearside::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_character_string = 255;  // RFC 1035 3.3
constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t most_connections = 65'536;
constexpr std::size_t most_pipelined = 1'000;
constexpr std::size_t longest_path = PATH_MAX - 1;
constexpr std::uint32_t fewest_entries = 16;
constexpr std::uint32_t default_large_images = 4096;
constexpr std::uint32_t most_large_images = 1u << 20U;

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
  const auto optional_entries = [&](std::string_view key, std::optional<std::uint32_t>& field, std::uint32_t fewest,
                                    std::uint32_t most) {
    if (const auto found = table.integer(key, fewest, most)) field = static_cast<std::uint32_t>(found->value);
  };
  optional_entries("large_images", maps.large_images, fewest_entries, most_large_images);
  optional_entries("mapping4", maps.mapping4, 1, 1u << 24);
  optional_entries("mapping6", maps.mapping6, 1, 1u << 24);
  optional_entries("sites", maps.sites, 1, 1u << 24);
  optional_entries("mapped_sets", maps.mapped_sets, 1, 256);
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

/// For a backbone node whose file says nothing of it.
void default_mapping(map_settings& maps) {
  if (!maps.mapping4) maps.mapping4 = 100'000;
  if (!maps.mapping6) maps.mapping6 = 100'000;
  if (!maps.sites) maps.sites = 65'536;
  if (!maps.mapped_sets) maps.mapped_sets = 8;
  if (!maps.large_images) maps.large_images = std::clamp(*maps.sites, default_large_images, most_large_images);
}

/// A node is an edge or a backbone node, and answers in either case.
void read_role(table_reader& root, const std::filesystem::path& folder, settings& all) {
  section(root, "edge", [&](table_reader& table) { read_answering(table, all.answering); });
  section(root, "backbone", [&](table_reader& table) {
    if (root.has("edge"))
      root.complain("backbone", table.at(), "expected [edge] or [backbone], found both: a node is one of the two");
    read_answering(table, all.answering);
    read_direct_listen(table, all.answering);
    all.backbone = read_backbone(table, folder, all.answering);
  });
  if (!root.has("edge") && !root.has("backbone"))
    root.complain("edge", {}, "expected a section [edge] or [backbone] with the addresses to answer on, found none");
  section(root, "registration", [&](table_reader& table) {
    if (!root.has("edge"))
      root.complain("registration", table.at(), "expected only beside [edge]: it is edges that register");
    all.registration = read_registration(table, folder, all.answering);
  });
}

}  // namespace

settings read_settings(table_reader& root, const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 4> levels{"error", "warn", "info", "debug"};
  settings all;
  all.node.name = host_name();
  all.node.id = all.node.name;
  section(root, "node", [&](table_reader& table) { read_node(table, all.node); });
  read_role(root, folder, all);
  section(root, "serve", [&](table_reader& table) { read_serve(table, all.serve); });
  section(root, "maps", [&](table_reader& table) { read_maps(table, all.maps); });
  if (all.backbone) default_mapping(all.maps);
  if (!all.maps.large_images) all.maps.large_images = default_large_images;
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
