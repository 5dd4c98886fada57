// SPDX-License-Identifier: BSD-2-Clause
// What a backbone node keeps of one edge: the unit that is stored, shared between backbone nodes, and replaced as a
// whole by a newer one. One JSON object. Pure; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/mapping/prefix.hpp"
#include "agent/mapping/table.hpp"

namespace nearside::mapping {

/// An egress that was accepted.
struct egress_record {
  prefix who;
  std::optional<std::chrono::microseconds> rtt;
  instant proved;

  friend bool operator==(const egress_record&, const egress_record&) = default;
};

struct edge_record {
  std::string edge;  // NS name in lower case with the final dot, "e17.ns.lb.example.com."
  std::uint64_t sequence = 0;
  std::string accepted_by;  // the backbone node's name
  instant registered;
  instant expires;                                  // end of the lease
  bool withdrawn = false;                           // kept until `expires`, so that nothing older brings it back
  std::vector<boost::asio::ip::address> addresses;  // where it answers; 1 to most_addresses, none where withdrawn
  std::vector<egress_record> egresses;              // by prefix; at most most_egresses

  friend bool operator==(const edge_record&, const edge_record&) = default;
};

inline constexpr std::size_t most_addresses = 8;
inline constexpr std::size_t most_egresses = 256;

/// One line of JSON.
[[nodiscard]] std::string to_json(const edge_record& r);
/// From untrusted text. Errors: not JSON, a member missing or out of its bounds (each names it).
[[nodiscard]] result<edge_record> parse_record(std::string_view text);

}  // namespace nearside::mapping
