// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/encoding.hpp"

#include <array>

namespace nearside::mapping {
namespace {

constexpr std::string_view letters32 = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view letters64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int8_t no_letter = -1;

using values = std::array<std::int8_t, 256>;

constexpr values values_of(std::string_view letters, bool either_case) {
  values of{};
  of.fill(no_letter);
  for (std::size_t v = 0; v < letters.size(); ++v) {
    const auto letter = static_cast<unsigned char>(letters[v]);
    of[letter] = static_cast<std::int8_t>(v);
    if (either_case && letter >= 'a' && letter <= 'z') of[letter - ('a' - 'A')] = static_cast<std::int8_t>(v);
  }
  return of;
}

std::string encode(std::span<const std::uint8_t> octets, std::string_view letters, unsigned bits) {
  std::string text;
  text.reserve((octets.size() * 8 + bits - 1) / bits);
  const unsigned mask = (1U << bits) - 1;
  unsigned held = 0;
  unsigned count = 0;
  for (const std::uint8_t octet : octets) {
    held = held << 8U | octet;
    count += 8;
    while (count >= bits) text += letters[held >> (count -= bits) & mask];
    held &= (1U << count) - 1;
  }
  if (count > 0) text += letters[held << (bits - count) & mask];
  return text;
}

std::optional<std::vector<std::uint8_t>> decode(std::string_view text, const values& of, unsigned bits) {
  std::vector<std::uint8_t> octets;
  octets.reserve(text.size() * bits / 8);
  unsigned held = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const std::int8_t value = of[static_cast<unsigned char>(letter)];
    if (value == no_letter) return std::nullopt;
    held = held << bits | static_cast<unsigned>(value);
    count += bits;
    if (count >= 8) octets.push_back(static_cast<std::uint8_t>(held >> (count -= 8)));
    held &= (1U << count) - 1;
  }
  // A whole letter too many, or a second spelling of the same octets.
  if (count >= bits || held != 0) return std::nullopt;
  return octets;
}

}  // namespace

std::string base32hex(std::span<const std::uint8_t> octets) { return encode(octets, letters32, 5); }

std::optional<std::vector<std::uint8_t>> parse_base32hex(std::string_view text) {
  static constexpr values of = values_of(letters32, true);
  return decode(text, of, 5);
}

std::string base64url(std::span<const std::uint8_t> octets) { return encode(octets, letters64, 6); }

std::optional<std::vector<std::uint8_t>> parse_base64url(std::string_view text) {
  static constexpr values of = values_of(letters64, false);
  return decode(text, of, 6);
}

}  // namespace nearside::mapping
