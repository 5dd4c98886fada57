// SPDX-License-Identifier: BSD-2-Clause
// The question of a check `dns`, and what is thought of a reply. By ldns; no sockets.
// Made once for each check; immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/config/measuring.hpp"
#include "agent/dns/ldns.hpp"
#include "agent/probe/trouble.hpp"

namespace nearside::probe {

class dns_question {
 public:
  /// Errors: invalid, a qname or an rdata of the check that is none (of its qtype).
  [[nodiscard]] static result<dns_question> make(const config::check& check);

  /// The query with this ID: RD set, for recursive resolvers; EDNS with 1,232 octets.
  [[nodiscard]] std::vector<std::uint8_t> query(std::uint16_t id) const;

  struct judgement {
    bool ours = false;             // a reply to this question; else there may be one to come
    std::optional<trouble> wrong;  // "dns SERVFAIL", "dns: no expected rdata"
  };
  /// `octets` came from the server asked with `id`.
  [[nodiscard]] judgement judge(std::span<const std::uint8_t> octets, std::uint16_t id) const;

 private:
  dns_question() = default;

  dns::owned_rdf qname_;
  ldns_rr_type qtype_ = LDNS_RR_TYPE_NS;
  std::uint8_t rcode_ = 0;
  std::vector<dns::owned_rr> rdata_;  // canonical
  std::vector<std::uint8_t> query_;   // with ID 0
};

}  // namespace nearside::probe
