// SPDX-License-Identifier: BSD-2-Clause
// [[server]]: what queries are balanced over. Used by load(); the zones refer to servers by name.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/names.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

constexpr std::uint32_t most_weight = 65'535;
constexpr std::uint32_t most_priority = 65'535;
constexpr double most_cost = 1'000'000;

/// The families in the order in which all lists of them are.
inline constexpr std::array<std::string_view, 2> family_words{"IPv4", "IPv6"};

struct server {
  struct family {
    boost::asio::ip::address address;   // what answers carry
    boost::asio::ip::address measured;  // what checks are run on
  };

  std::string name;
  std::array<std::optional<family>, 2> families;   // 0: IPv4, 1: IPv6; at least one is there
  std::uint16_t check_port = 0;                    // 0: the check's
  std::optional<std::vector<std::size_t>> checks;  // indices; nothing: those of the name that uses it
  std::uint32_t weight = 1;
  std::uint32_t priority = 1;
  double cost = 0;
  std::string site;
  bool whole = true;  // false: it has a problem that has been noted
};

/// The servers of a file and the index of their names.
struct server_list {
  std::vector<server> all;
  name_index names;
};

/// Reads every [[server]], at most 100,000. One with a problem is in the list nevertheless, so that no reference to it
/// is called unknown. `checks`: the names of the checks.
[[nodiscard]] server_list read_servers(table_reader& root, const name_index& checks, const problem_list& problems);

/// What an address among the servers of a name stands for: a server called like the address.
[[nodiscard]] server server_at(const boost::asio::ip::address& where);

}  // namespace nearside::config
