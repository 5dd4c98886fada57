// SPDX-License-Identifier: BSD-2-Clause
// A DNS message as a person reads it: the header's flags and the records of each section, decoded by ldns. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/base/result.hpp"

namespace nearside::cli {

/// One record in presentation format (RFC 1035 5.1).
struct record_text {
  std::string owner;
  std::uint32_t ttl = 0;
  std::string type;
  std::string data;
};

struct message_text {
  std::string rcode;               // "NOERROR"
  std::vector<std::string> flags;  // those that are set: "qr", "aa", "tc", "rd", "ra", "ad", "cd"
  std::vector<record_text> answer;
  std::vector<record_text> authority;
  std::vector<record_text> additional;  // without OPT
  bool edns = false;
  std::string ecs;  // "192.0.2.0/24, scope 0"; empty: none
};

/// Error: invalid, ldns cannot decode it.
result<message_text> decode_message(std::span<const std::uint8_t> message);

/// "www.example. 20 A 192.0.2.80"
[[nodiscard]] std::string to_string(const record_text& record);
[[nodiscard]] boost::json::object to_json(const message_text& message);

}  // namespace nearside::cli
