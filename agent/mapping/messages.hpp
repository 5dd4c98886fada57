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
#include "agent/mapping/record.hpp"
#include "agent/mapping/report.hpp"

namespace nearside::mapping {

inline constexpr std::chrono::seconds least_lifetime{10};
inline constexpr std::chrono::seconds most_lifetime{3600};
/// Octets of a message's body, and of a report's once it is inflated.
inline constexpr std::size_t most_body = 65536;
inline constexpr std::size_t most_inflated = 1u << 20U;

struct egress_claim {
  boost::asio::ip::address address;
  /// Label: the newest that was answered through there. Empty: none; then the egress counts only where the backbone
  /// node has it in this edge's record already, from before or from another node.
  std::string nonce;
  std::optional<std::chrono::microseconds> rtt;

  friend bool operator==(const egress_claim&, const egress_claim&) = default;
};

/// Octets of an answer: a registration of most_egresses may be answered with names for each.
inline constexpr std::size_t most_answer = 1u << 20U;
inline constexpr std::size_t most_servers = 16;  // NS names given to one client

/// POST /v1/register, and /v1/renew without addresses and egresses. `egresses` is the whole set that the edge claims
/// now: rows of others go at once.
///
/// The edge numbers all its messages to all backbone nodes from one counter, which starts from the wall clock in
/// microseconds. A backbone node keeps two marks of it: the newest of register, renew and withdraw, which may have come
/// to another node and from there to this one, and the newest report. So a report overtakes no registration.
struct registration {
  std::string edge;            // lower case, final dot
  std::uint64_t sequence = 0;  // 1 to 2^53 - 1
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

/// POST /v1/withdraw.
struct withdrawal {
  std::string edge;
  std::uint64_t sequence = 0;

  friend bool operator==(const withdrawal&, const withdrawal&) = default;
};

/// POST /v1/report.
struct report_message {
  std::string edge;
  std::uint64_t sequence = 0;
  report content;

  friend bool operator==(const report_message&, const report_message&) = default;
};

/// Why a message is refused: the words are those of the protocol, and the labels of the counters.
enum class refusal : std::uint8_t { malformed, not_allowed, unknown_edge, stale_sequence, too_large, too_many };
inline constexpr std::size_t refusal_count = 6;
[[nodiscard]] std::string_view text_of(refusal why) noexcept;
[[nodiscard]] unsigned http_status_of(refusal why) noexcept;
/// What an error of the parsers below is to the edge: beyond a documented bound (errc::exhausted) or malformed.
[[nodiscard]] refusal refusal_of(const error& e) noexcept;

/// What a refused message is answered with: {"error": "stale_sequence", "detail": "...", "newest": 17}.
struct refused {
  refusal why = refusal::malformed;
  std::string detail;
  /// Of stale_sequence: the newest that is known. The edge goes on above it: its message has been overtaken by one of
  /// its own to another backbone node, or its clock was set back.
  std::optional<std::uint64_t> newest{};

  friend bool operator==(const refused&, const refused&) = default;
};

/// Errors of the parsers: what is wrong, with the member's place; kind `exhausted` where there is too much of it.
/// `with_content`: addresses and egresses are expected.
[[nodiscard]] std::string to_json(const registration& message, bool with_content);
[[nodiscard]] result<registration> parse_registration(std::string_view body, bool with_content);
[[nodiscard]] std::string to_json(const withdrawal& message);
[[nodiscard]] result<withdrawal> parse_withdrawal(std::string_view body);
/// The writer is to_json() in report.hpp.
[[nodiscard]] result<report_message> parse_report(std::string_view body);

[[nodiscard]] std::string to_json(const registered& answer);
[[nodiscard]] result<registered> parse_registered(std::string_view body);
[[nodiscard]] std::string to_json(const refused& answer);
[[nodiscard]] result<refused> parse_refused(std::string_view body);

}  // namespace nearside::mapping
