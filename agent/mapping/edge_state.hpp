// SPDX-License-Identifier: BSD-2-Clause
// What a backbone node knows of one edge: its record, whether it may be used, and what it has reported. Made by the
// registry; read by who answers and who shows. Plain values.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/mapping/record.hpp"
#include "agent/mapping/report.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::mapping {

/// Whether an edge may be used, and why not. `checking`: registered, but no port 53 of it has been asked yet.
/// `unregistered`: only the operator's table names it.
enum class liveness : std::uint8_t { alive, checking, port_dead, expired, withdrawn, unregistered };
[[nodiscard]] std::string_view text_of(liveness l) noexcept;
/// Whether port 53 of such an edge is worth asking: its lease lasts.
[[nodiscard]] constexpr bool is_asked(liveness l) noexcept {
  return l == liveness::alive || l == liveness::checking || l == liveness::port_dead;
}

/// One service address and what its port 53 said.
struct service_address {
  boost::asio::ip::address address;
  bool answers = false;
  std::string reason;  // of the newest failure
  std::optional<instant> checked;
};

struct edge_state {
  edge_id id = 0;
  edge_record record;  // where the lease has ended: without egresses; unregistered: only the name
  liveness state = liveness::unregistered;
  std::vector<service_address> services;  // by record.addresses
  std::optional<report> reported;
  std::uint64_t report_sequence = 0;
  instant reported_at;
};

/// The addresses for glue: those that answer; all where no answer is known of any.
[[nodiscard]] std::vector<boost::asio::ip::address> addresses_to_give(const edge_state& edge);

}  // namespace nearside::mapping
