// SPDX-License-Identifier: BSD-2-Clause
// Which servers a [[zone.balance]] has, with their checks and what the name says about each of them. Used by
// read_balanced_names().
#pragma once

#include <memory>
#include <vector>

#include "agent/config/pools.hpp"
#include "agent/config/read_servers.hpp"
#include "agent/config/toml_reader.hpp"

namespace nearside::config {

/// At most so many addresses of a family in one RRset: an answer has no more alternatives (rrset::alternatives).
constexpr std::size_t most_addresses = 255;

struct server_choice {
  std::vector<pooled_server> servers;
  std::vector<place> places;                   // of each in `servers`
  std::vector<std::unique_ptr<server>> plain;  // those that are addresses; `servers` point to them
  bool whole = true;                           // false: one is not known, or has a problem of its own
};

/// Reads servers, checks, weights, priorities and costs.
[[nodiscard]] server_choice read_balanced_servers(table_reader& table, const server_list& known,
                                                  const name_index& checks);

/// Reads fallback: addresses that no server has, and with the servers' no more than most_addresses of a family.
[[nodiscard]] std::vector<boost::asio::ip::address> read_fallbacks(table_reader& table, const score::criteria& rules,
                                                                   const server_choice& chosen);

}  // namespace nearside::config
