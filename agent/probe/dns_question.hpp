// SPDX-License-Identifier: BSD-2-Clause
// The question of a check `dns`, and what is thought of a reply. By ldns; no sockets.
// Made once for each check; immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/config/measuring.hpp"
#include "agent/dns/ldns.hpp"
#include "agent/dns/question.hpp"
#include "agent/probe/trouble.hpp"

namespace nearside::probe {

class dns_question {
 public:
  /// Errors: invalid, a qname or an rdata of the check that is none (of its qtype).
  [[nodiscard]] static result<dns_question> make(const config::check& check);

  /// The query with this ID, for recursive resolvers as well.
  [[nodiscard]] std::vector<std::uint8_t> query(std::uint16_t id) const { return question_.query(id); }

  struct judgement {
    bool ours = false;             // a reply to this question; else there may be one to come
    std::optional<trouble> wrong;  // "dns SERVFAIL", "dns: no expected rdata"
  };
  /// `octets` came from the server asked with `id`.
  [[nodiscard]] judgement judge(std::span<const std::uint8_t> octets, std::uint16_t id) const;

 private:
  dns_question(dns::question question, std::uint8_t rcode) : question_(std::move(question)), rcode_(rcode) {}

  dns::question question_;
  std::uint8_t rcode_;
  std::vector<dns::owned_rr> rdata_;  // canonical
};

}  // namespace nearside::probe
