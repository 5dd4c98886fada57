// SPDX-License-Identifier: BSD-2-Clause
// The question that a backbone node asks at an edge's port 53, and what it thinks of a reply: the SOA of a mapped name,
// which an edge that serves it answers with authority. Wire format of RFC 1035 4. Pure; immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dns/name.hpp"

namespace nearside::backbone {

class port_question {
 public:
  explicit port_question(const dns::name& mapped);

  /// Into `query`, which keeps its memory.
  void write(std::vector<std::uint8_t>& query, std::uint16_t id) const;

  /// Nothing: `reply` is none to this question with this id. Else empty where it is good, or what is wrong with it:
  /// "SERVFAIL", "not authoritative".
  [[nodiscard]] std::optional<std::string_view> judge(std::span<const std::uint8_t> reply, std::uint16_t id) const;

 private:
  std::vector<std::uint8_t> query_;  // with ID 0
};

}  // namespace nearside::backbone
