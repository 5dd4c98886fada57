// SPDX-License-Identifier: BSD-2-Clause
// The messages between an edge and a backbone node, as values and as JSON. docs/registration-api.yaml is the
// definition. Both sides use it; what arrives is parsed once, with every bound checked. Pure; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/mapping/nonce.hpp"
#include "agent/mapping/prefix.hpp"
#include "agent/mapping/report.hpp"

namespace nearside::mapping {

inline constexpr std::chrono::seconds least_lifetime{10};
inline constexpr std::chrono::seconds most_lifetime{3600};
/// Octets of a message's body, and of a report's once it is inflated.
inline constexpr std::size_t most_body = 65536;
inline constexpr std::size_t most_inflated = 1u << 20U;

struct egress_claim {
  boost::asio::ip::address address;
  std::string nonce;  // label: the newest that was seen to come from there
  std::optional<std::chrono::microseconds> rtt;

  friend bool operator==(const egress_claim&, const egress_claim&) = default;
};

/// POST /v1/register, and /v1/renew without addresses and egresses.
struct registration {
  std::string edge;  // lower case, final dot
  std::uint64_t sequence = 0;
  std::chrono::seconds lifetime{300};
  std::vector<boost::asio::ip::address> addresses;
  std::vector<egress_claim> egresses;

  friend bool operator==(const registration&, const registration&) = default;
};

struct egress_verdict {
  boost::asio::ip::address address;
  bool accepted = false;
  std::string reason;  // why not: "not_seen", "bad_nonce", "public_resolver", "not_allowed"

  friend bool operator==(const egress_verdict&, const egress_verdict&) = default;
};

/// The NS names that the backbone nodes give to the clients of a prefix.
struct served_by {
  prefix who;
  std::vector<std::string> servers;  // lower case, final dot, in order

  friend bool operator==(const served_by&, const served_by&) = default;
};

/// What a registration or a renewal is answered with.
struct registered {
  std::chrono::seconds lifetime{};
  std::string nonce_zone;  // "b1.who.lb.example.com."
  secret_key nonce_key{};
  edge_id nonce_edge = 0;
  std::vector<egress_verdict> egresses;
  std::uint32_t ttl = 0;                     // of the NS RRsets below
  std::vector<std::string> default_servers;  // for clients whom no row of this edge covers
  std::vector<served_by> servers;            // for the clients of this edge's rows

  friend bool operator==(const registered&, const registered&) = default;
};

/// Why a message is refused: the words are those of the protocol, and the labels of the counters.
enum class refusal : std::uint8_t { malformed, not_allowed, unknown_edge, stale_sequence, too_large, too_many };
inline constexpr std::size_t refusal_count = 6;
[[nodiscard]] std::string_view text_of(refusal why) noexcept;
[[nodiscard]] unsigned http_status_of(refusal why) noexcept;

/// Errors of the parsers: what is wrong, with the member's name. `with_content`: addresses and egresses are expected.
[[nodiscard]] std::string to_json(const registration& message, bool with_content);
[[nodiscard]] result<registration> parse_registration(std::string_view body, bool with_content);
[[nodiscard]] std::string to_json(const registered& answer);
[[nodiscard]] result<registered> parse_registered(std::string_view body);

/// POST /v1/report.
struct report_message {
  std::string edge;
  std::uint64_t sequence = 0;
  report content;
};
[[nodiscard]] result<report_message> parse_report(std::string_view body);

}  // namespace nearside::mapping
