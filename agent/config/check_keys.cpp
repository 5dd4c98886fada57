// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/check_keys.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/config/addresses.hpp"
#include "agent/config/check_dns.hpp"
#include "agent/config/check_http.hpp"
#include "agent/config/names.hpp"
#include "agent/config/text_file.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

constexpr std::uintmax_t largest_ca_file = 16ull << 20;
constexpr std::uintmax_t largest_program = 1ull << 30;
constexpr std::size_t most_arguments = 64;
constexpr std::size_t longest_argument = 4096;

constexpr unsigned bit(check_type type) { return 1u << static_cast<unsigned>(type); }

constexpr unsigned of_tls = bit(check_type::tls) | bit(check_type::https);
constexpr unsigned of_http = bit(check_type::http) | bit(check_type::https);
constexpr unsigned of_dns = bit(check_type::dns);
constexpr unsigned of_exec = bit(check_type::exec);

struct typed_key {
  std::string_view key;
  unsigned types;
};

constexpr std::array<typed_key, 16> typed_keys{{
    {"port", bit(check_type::tcp) | of_tls | of_http | of_dns},
    {"server_name", of_tls},
    {"verify", of_tls},
    {"ca_file", of_tls},
    {"method", of_http},
    {"path", of_http},
    {"host", of_http},
    {"status", of_http},
    {"body", of_http},
    {"body_regex", of_http},
    {"body_limit", of_http},
    {"qname", of_dns},
    {"qtype", of_dns},
    {"rcode", of_dns},
    {"rdata", of_dns},
    {"command", of_exec},
}};

void refuse_keys_of_others(table_reader& table, check_type type) {
  for (const auto& [key, types] : typed_keys) {
    if ((types & bit(type)) != 0) continue;
    table.allow(key);
    if (!table.has(key)) continue;
    std::vector<std::string_view> owners;
    for (std::size_t i = 0; i < check_type_words.size(); ++i) {
      if ((types >> i & 1) != 0) owners.push_back(check_type_words.at(i));
    }
    table.complain(key, table.at(key),
                   "expected only in a check of type " + alternatives(owners) + ", this one is " +
                       in_quotes(check_type_words.at(static_cast<std::size_t>(type))));
  }
}

std::uint16_t usual_port(check_type type) {
  switch (type) {
    case check_type::http: return 80;
    case check_type::tls:
    case check_type::https: return 443;
    case check_type::dns: return 53;
    default: return 0;
  }
}

void read_port(table_reader& table, check& c) {
  c.port = usual_port(c.type);
  if (const auto port = table.integer("port", 1, 65'535))
    c.port = static_cast<std::uint16_t>(port->value);
  else if (c.type == check_type::tcp && !table.has("port"))
    table.complain("port", table.at(), "expected the port to connect to, found none");
}

void read_ca_file(table_reader& table, const std::filesystem::path& folder, check& c) {
  const auto file = table.text("ca_file");
  if (!file || file->value.empty()) return;
  if (!c.verify) table.complain("ca_file", file->at, "expected no trusted certificates where verify is false");
  if (file->value.find('\0') != std::string::npos) {
    table.complain("ca_file", file->at, "expected the path of a file, found " + in_quotes(file->value));
    return;
  }
  const std::filesystem::path path = folder / file->value;
  c.ca_file = path.string();
  if (const auto usable = check_file(path, largest_ca_file); !usable)
    table.complain("ca_file", file->at, in_quotes(path.string()) + ": " + usable.error().message);
}

void read_tls(table_reader& table, const std::filesystem::path& folder, check& c) {
  if (const auto name = table.text("server_name"); name && !name->value.empty()) {
    if (!is_name(name->value) && !parse_host_address(name->value)) {
      table.complain(
          "server_name", name->at,
          "expected the host name or the address that the certificate is for, found " + in_quotes(name->value));
    }
    c.server_name = name->value;
  }
  if (const auto verify = table.truth("verify")) c.verify = verify->value;
  read_ca_file(table, folder, c);
}

void read_command(table_reader& table, check& c) {
  const auto command = table.texts("command");
  if (!command) {
    if (!table.has("command"))
      table.complain("command", table.at(), "expected a program and its arguments, found none");
    return;
  }
  const auto& words = command->value;
  if (words.empty() || words.size() > most_arguments) {
    table.complain("command", command->at,
                   "expected a program and its arguments, at most " + std::to_string(most_arguments) +
                       " in all, found " + std::to_string(words.size()));
    return;
  }
  for (const auto& word : words) {
    c.command.push_back(word.value);
    if (word.value.size() > longest_argument || word.value.find('\0') != std::string::npos) {
      table.complain("command", word.at,
                     "expected at most " + std::to_string(longest_argument) + " octets, none of them NUL, found " +
                         in_quotes(word.value));
      return;
    }
  }
  const auto& program = words.front();
  if (!program.value.starts_with('/'))
    table.complain("command", program.at, "expected the absolute path of a program, found " + in_quotes(program.value));
  else if (const auto usable = check_program(program.value, largest_program); !usable)
    table.complain("command", program.at, in_quotes(program.value) + ": " + usable.error().message);
}

}  // namespace

void read_keys_of_type(table_reader& table, const std::filesystem::path& folder, check& c) {
  const unsigned type = bit(c.type);
  refuse_keys_of_others(table, c.type);
  if ((type & typed_keys.front().types) != 0) read_port(table, c);
  if ((type & of_tls) != 0) read_tls(table, folder, c);
  if ((type & of_http) != 0) read_http(table, c);
  if ((type & of_dns) != 0) read_dns(table, c);
  if ((type & of_exec) != 0) read_command(table, c);
}

void allow_keys_of_all_types(table_reader& table) {
  for (const auto& [key, types] : typed_keys) table.allow(key);
}

}  // namespace nearside::config
