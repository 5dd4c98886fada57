// SPDX-License-Identifier: BSD-2-Clause
// The requests to etcd's JSON gateway (etcd 3.4 and later, /v3/...) and its answers, which are not trusted. Keys and
// values are base64 there, and 64-bit integers are strings. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.hpp"

namespace nearside::backbone::etcd_messages {

/// RFC 4648 4, with padding.
[[nodiscard]] std::string base64(std::string_view octets);
/// Nothing: not base64.
[[nodiscard]] std::optional<std::string> parse_base64(std::string_view text);

/// The first key behind all that begin with this prefix; the prefix must not be empty or end in the octet 255.
[[nodiscard]] std::string end_of_prefix(std::string_view prefix);

// ---- requests: bodies ----

[[nodiscard]] std::string authenticate(std::string_view user, std::string_view password);
[[nodiscard]] std::string grant(std::chrono::seconds ttl);
/// From `first` on, below `prefix`; `revision` 0: the newest.
[[nodiscard]] std::string range(std::string_view first, std::string_view prefix, std::int64_t revision, unsigned limit);
/// One key: whether this member can still read for the whole cluster.
[[nodiscard]] std::string read_one(std::string_view key);
[[nodiscard]] std::string watch(std::string_view prefix, std::int64_t from_revision);
/// All in one transaction.
[[nodiscard]] std::string put_all(const std::vector<std::pair<std::string, std::string>>& values, std::int64_t lease);

// ---- answers ----

/// What the gateway answers instead: its text, and the gRPC status code.
struct failure {
  std::string text;
  std::int64_t code = 0;

  /// Another token is to be asked for.
  [[nodiscard]] bool is_token() const;
  /// Another lease is to be asked for.
  [[nodiscard]] bool is_lease() const;
};
inline constexpr std::int64_t code_unavailable = 14;

/// The message of an answer with another status than 200.
[[nodiscard]] failure parse_failure(unsigned status, std::string_view body);

[[nodiscard]] result<std::string> parse_token(std::string_view body);
[[nodiscard]] result<std::int64_t> parse_lease(std::string_view body);

struct key_value {
  std::string key;
  std::string value;
  bool deleted = false;
};
struct page {
  std::int64_t revision = 0;
  bool more = false;
  std::vector<key_value> values;
};
[[nodiscard]] result<page> parse_range(std::string_view body);

/// One line of a watch.
struct watched {
  std::int64_t revision = 0;
  bool created = false;
  bool cancelled = false;  // by the server: compacted, or not allowed; `reason` tells
  std::string reason;
  std::vector<key_value> events;
};
[[nodiscard]] result<watched> parse_watched(std::string_view line);

}  // namespace nearside::backbone::etcd_messages
