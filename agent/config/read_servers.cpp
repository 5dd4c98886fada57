// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_servers.hpp"

#include <utility>

#include "agent/config/addresses.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

using boost::asio::ip::address;

constexpr std::size_t most_servers = 100'000;

struct family_keys {
  std::string_view address;
  std::string_view measured;
};
constexpr std::array<family_keys, 2> keys_of{{{"ipv4", "check_ipv4"}, {"ipv6", "check_ipv6"}}};

std::optional<address> read_address(table_reader& table, std::string_view key, std::size_t family) {
  const auto text = table.text(key);
  if (!text) return std::nullopt;
  const auto found = parse_host_address(text->value);
  if (!found) {
    table.complain(key, text->at, found.error().message);
    return std::nullopt;
  }
  if (found->is_v6() != (family == 1)) {
    table.complain(key, text->at,
                   "expected an " + std::string(family_words.at(family)) + " address, found " + in_quotes(text->value));
    return std::nullopt;
  }
  return *found;
}

void read_addresses(table_reader& table, server& s) {
  for (std::size_t family = 0; family < keys_of.size(); ++family) {
    const auto [key, measured_key] = keys_of.at(family);
    const auto address = read_address(table, key, family);
    const auto measured = read_address(table, measured_key, family);
    if (address) s.families.at(family) = {*address, measured.value_or(*address)};
    if (!table.has(key) && table.has(measured_key)) {
      table.complain(measured_key, table.at(measured_key),
                     "expected only beside " + std::string(key) + ", in the place of which it is measured");
    }
  }
  if (!table.has("ipv4") && !table.has("ipv6"))
    table.complain("ipv4", table.at(), "expected an address, ipv4, ipv6 or both, found none");
}

/// The name of a server, which no address can be taken for.
std::optional<located<std::string>> read_server_name(table_reader& table) {
  auto name = read_name(table, "name");
  if (!table.has("name")) table.complain("name", table.at(), "expected the server's name, found none");
  if (name && name->value.find_first_not_of("0123456789.") == std::string::npos) {
    table.complain(
        "name", name->at,
        "expected a name with a letter in it, found " + in_quotes(name->value) + ", which looks like an address");
    return std::nullopt;
  }
  return name;
}

server read_server(table_reader& table, const name_index& checks) {
  server s;
  read_addresses(table, s);
  table.integer_into<std::uint16_t>("check_port", s.check_port, 1, 65'535);
  s.checks = read_check_names(table, checks);
  table.integer_into<std::uint32_t>("weight", s.weight, 0, most_weight);
  table.integer_into<std::uint32_t>("priority", s.priority, 0, most_priority);
  table.number_into("cost", s.cost, 0, most_cost);
  if (const auto site = read_name(table, "site")) s.site = site->value;
  table.finish();
  return s;
}

}  // namespace

server_list read_servers(table_reader& root, const name_index& checks, const problem_list& problems) {
  server_list servers;
  for (table_reader& table : root.tables("server")) {
    if (servers.all.size() == most_servers) {
      table.complain("name", table.at(), "expected at most " + std::to_string(most_servers) + " servers, found more");
      break;
    }
    const std::size_t before = problems.size();
    const auto name = read_server_name(table);
    servers.all.push_back(read_server(table, checks));
    server& made = servers.all.back();
    if (name) {
      made.name = name->value;
      if (const std::size_t line = servers.names.add(*name, servers.all.size() - 1); line != 0) {
        table.complain("name", name->at,
                       "server " + in_quotes(name->value) + " is given twice, first in line " + std::to_string(line));
      }
    }
    made.whole = problems.size() == before;
  }
  return servers;
}

server server_at(const address& where) {
  server s;
  s.name = where.to_string();
  s.families.at(where.is_v6() ? 1 : 0) = {where, where};
  return s;
}

}  // namespace nearside::config
