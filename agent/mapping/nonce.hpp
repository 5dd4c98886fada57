// SPDX-License-Identifier: BSD-2-Clause
// Nonces: names that one edge alone can make, so that a query for one tells which edge's resolver asked; and tokens,
// which only who receives our answers can know, so that a forged source proves nothing. HMAC-SHA256 (RFC 2104), cut to
// eight octets; base32hex without padding, lower case (RFC 4648 7). Pure; any thread.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/mapping/table.hpp"

namespace nearside::mapping {

using secret_key = std::array<std::uint8_t, 32>;

/// The key that a backbone node gives to an edge: HMAC(master, "edge" | the edge's name in lower case).
[[nodiscard]] secret_key key_of_edge(const secret_key& master, std::string_view edge);

/// `edge` says where to look for the key and is not signed: the number may be another one after the backbone node has
/// been started again, and what the edge holds from before still proves. A counter is used once: an edge begins with
/// the wall clock in seconds, so that a new start does not use those of before.
struct nonce {
  edge_id edge = 0;
  std::uint32_t counter = 0;

  friend bool operator==(const nonce&, const nonce&) = default;
};

/// A label of 26 octets.
[[nodiscard]] std::string label_of(const nonce& n, const secret_key& of_edge);
/// What the label claims to be; not yet verified. Nothing: no nonce's label. Letters may be of either case.
[[nodiscard]] std::optional<nonce> parse_label(std::string_view label);
/// Whether the edge with this key made it, whatever number it names.
[[nodiscard]] bool verify(std::string_view label, const secret_key& of_edge);

/// The token for who asks for `label` (at most 63 octets; its case does not matter) from `source`: good for the minute
/// of `now` and the next. A label of 20 octets for IPv4, 39 for IPv6.
[[nodiscard]] std::string token_of(std::string_view label, const boost::asio::ip::address& source,
                                   const secret_key& master, instant now);
/// The source that a token was made for, if it is good for this label; nothing: it is not, or no longer.
[[nodiscard]] std::optional<boost::asio::ip::address> source_of(std::string_view token, std::string_view label,
                                                                const secret_key& master, instant now);

}  // namespace nearside::mapping
