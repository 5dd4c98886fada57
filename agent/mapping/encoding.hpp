// SPDX-License-Identifier: BSD-2-Clause
// Octets as text, for DNS labels and JSON (RFC 4648): base32hex in lower case and base64url, both without padding. Only
// the one text that the encoder makes is read back, but for the case of base32hex. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nearside::mapping {

/// Five bits a letter, 0-9 and a-v: what the case of a DNS name (0x20) cannot harm.
[[nodiscard]] std::string base32hex(std::span<const std::uint8_t> octets);
/// Nothing: a letter of no meaning, a length that no octets have, or bits beyond the last octet. Either case.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> parse_base32hex(std::string_view text);

[[nodiscard]] std::string base64url(std::span<const std::uint8_t> octets);
[[nodiscard]] std::optional<std::vector<std::uint8_t>> parse_base64url(std::string_view text);

}  // namespace nearside::mapping
