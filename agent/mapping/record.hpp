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

/// Of two records of one edge the one of the greater sequence counts; of equal ones, that of the node whose name is
/// greater (an edge gives no number twice, so this is for nodes that were given a forged or restored one: all decide
/// alike).
struct edge_record {
  std::string edge;  // NS name in lower case with the final dot, "e17.ns.lb.example.com."
  std::uint64_t sequence = 0;
  std::string accepted_by;  // the backbone node's name
  instant registered;
  instant expires;                                  // end of the lease
  bool withdrawn = false;                           // kept until `expires`, so that nothing older brings it back
  std::vector<boost::asio::ip::address> addresses;  // where it answers; 1 to most_addresses, none where withdrawn
  std::vector<egress_record> egresses;              // by prefix, each once; at most most_egresses; keys as of key_of()

  friend bool operator==(const edge_record&, const edge_record&) = default;
};

inline constexpr std::size_t most_addresses = 8;
inline constexpr std::size_t most_egresses = 256;

inline constexpr std::chrono::microseconds most_rtt{60'000'000};
/// Octets of a record as text.
inline constexpr std::size_t most_record = 65'536;

/// One line of JSON; instants as whole microseconds since 1970, which is what the registry keeps of them.
[[nodiscard]] std::string to_json(const edge_record& r);
/// From untrusted text. Errors: not JSON, a member missing or out of its bounds (each names it).
[[nodiscard]] result<edge_record> parse_record(std::string_view text);

}  // namespace nearside::mapping
