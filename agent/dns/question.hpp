// SPDX-License-Identifier: BSD-2-Clause
// A question to a recursive resolver, and which of the messages that come back answer it. By ldns; no sockets.
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dns/ldns.hpp"

namespace nearside::dns {

class question {
 public:
  /// Class IN. Errors: invalid, not a domain name.
  [[nodiscard]] static result<question> make(const std::string& qname, std::uint16_t qtype);

  /// The query with this ID: RD set; EDNS with 1,232 octets.
  [[nodiscard]] std::vector<std::uint8_t> query(std::uint16_t id) const;

  struct reply {
    bool ours = false;     // a reply to this question; else there may be one to come
    owned_packet message;  // nullptr: malformed
  };
  /// `octets` came from the server asked with `id`.
  [[nodiscard]] reply read(std::span<const std::uint8_t> octets, std::uint16_t id) const;

 private:
  question() = default;

  owned_rdf qname_;
  ldns_rr_type qtype_ = LDNS_RR_TYPE_NS;
  std::vector<std::uint8_t> query_;  // with ID 0
};

/// "SERVFAIL", "RCODE17".
[[nodiscard]] std::string rcode_text(int rcode);

}  // namespace nearside::dns
