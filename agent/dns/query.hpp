// SPDX-License-Identifier: BSD-2-Clause
// A query, parsed once from untrusted bytes: header, question and EDNS (RFC 1035 4.1, RFC 6891, RFC 7871). What is
// wrong with it is a value as well, because most faults have an answer of their own. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/dns/name.hpp"

namespace nearside::dns {

/// The EDNS Client Subnet option of a query (RFC 7871 6), in good order: SCOPE 0, no bits beyond SOURCE.
struct client_subnet {
  std::uint16_t family = 0;           // 1: IPv4, 2: IPv6, 0: not told
  std::uint8_t source_prefix = 0;     // in bits
  std::vector<std::uint8_t> address;  // as many octets as SOURCE PREFIX-LENGTH needs, network order

  friend bool operator==(const client_subnet&, const client_subnet&) = default;
};

/// The OPT record of a query (RFC 6891 6.1).
struct edns {
  std::uint16_t udp_size = 0;  // what the client takes, as it said
  std::uint8_t version = 0;
  bool dnssec_ok = false;
  bool wants_nsid = false;  // RFC 5001
  std::optional<client_subnet> subnet;
};

/// What an octet string is to a server.
enum class query_fault {
  none,       ///< a query to be answered
  not_ours,   ///< a response, or less than a header: no reply at all
  malformed,  ///< FORMERR
  opcode,     ///< NOTIMP: an opcode other than QUERY
  version,    ///< BADVERS: an EDNS version above 0
};

/// The question section's one entry (RFC 9619).
struct question {
  name qname;
  std::uint16_t qtype = 0;
  std::uint16_t qclass = 0;
};

struct query {
  query_fault fault = query_fault::none;
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  bool checking_disabled = false;
  /// Nothing where there is not exactly one, or where it could not be read. Always there when fault is none or version.
  std::optional<question> asked;
  /// Nothing where there is no OPT, or one that cannot be understood as one (RFC 6891 7). Without options if they are
  /// bad.
  std::optional<dns::edns> edns;
};

[[nodiscard]] query parse_query(std::span<const std::uint8_t> message);

}  // namespace nearside::dns
