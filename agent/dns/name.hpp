// SPDX-License-Identifier: BSD-2-Clause
// A domain name in wire format (RFC 1035 3.1): labels with their length octets, the root label last.
// The case of the letters is kept as given; comparison and hashing ignore it (RFC 4343).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"

namespace nearside::dns {

/// An octet with A-Z as a-z. Length octets (0-63) lie below 'A', so whole wire names may go through it blindly.
constexpr std::uint8_t lower_octet(std::uint8_t octet) noexcept {
  return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet;
}

/// Whether two names in wire format are the same but for case.
[[nodiscard]] bool same_name(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

class name {
 public:
  /// The root.
  name() : wire_(1, '\0') {}

  /// From presentation format with its escapes (\. and \DDD). A missing final dot is added, unless `origin` is given:
  /// then a name without a final dot is relative to it, and "@" is the origin. Errors: an empty or too long label (63),
  /// a name of more than 255 octets, a bad escape.
  static result<name> from_text(std::string_view text);
  static result<name> from_text(std::string_view text, const name& origin);

  /// The uncompressed name at the start of `octets`; what follows it is ignored (`wire().size()` tells where).
  /// Errors: cut off, longer than 255 octets, a label type other than 00.
  static result<name> from_wire(std::span<const std::uint8_t> octets);

  [[nodiscard]] std::span<const std::uint8_t> wire() const noexcept {
    return {reinterpret_cast<const std::uint8_t*>(wire_.data()), wire_.size()};
  }
  /// Presentation format with the final dot and escapes: "www.example.com.".
  [[nodiscard]] std::string text() const;
  /// The same name with the letters A-Z as a-z.
  [[nodiscard]] name lower() const;
  [[nodiscard]] bool is_root() const noexcept { return wire_.size() == 1; }
  [[nodiscard]] bool is_wildcard() const noexcept { return wire_.size() > 2 && wire_[0] == 1 && wire_[1] == '*'; }
  /// Number of labels, the root label not counted.
  [[nodiscard]] std::size_t labels() const noexcept;
  /// Without the first label; the root's parent is the root.
  [[nodiscard]] name parent() const;
  [[nodiscard]] bool is_at_or_below(const name& ancestor) const noexcept;
  /// "*." in front. Error: the name becomes too long.
  [[nodiscard]] result<name> wildcard() const;

  friend bool operator==(const name& a, const name& b) noexcept { return same_name(a.wire(), b.wire()); }
  /// Canonical order (RFC 4034 6.1).
  friend bool operator<(const name& a, const name& b) noexcept { return compare(a, b) < 0; }

 private:
  explicit name(std::string wire) : wire_(std::move(wire)) {}
  static int compare(const name& a, const name& b) noexcept;

  std::string wire_;
};

/// Where the labels of a name begin, the first label first, the root label last: `wire().subspan(starts[i])` is the
/// name without its first i labels.
class label_starts {
 public:
  explicit label_starts(const name& n) noexcept;
  /// Number of labels, the root label not counted; starts[size()] is the root's.
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] std::size_t operator[](std::size_t label) const noexcept { return starts_[label]; }

 private:
  std::array<std::uint8_t, 128> starts_{};
  std::size_t count_ = 0;
};

/// Hash of the lower-cased wire form; a suffix of a name's octets is looked up without making a name of it.
struct name_hash {
  using is_transparent = void;
  std::size_t operator()(std::span<const std::uint8_t> wire) const noexcept;
  std::size_t operator()(const name& n) const noexcept { return (*this)(n.wire()); }
};

struct name_equal {
  using is_transparent = void;
  bool operator()(const name& a, const name& b) const noexcept { return a == b; }
  bool operator()(std::span<const std::uint8_t> a, const name& b) const noexcept { return same_name(a, b.wire()); }
  bool operator()(const name& a, std::span<const std::uint8_t> b) const noexcept { return same_name(a.wire(), b); }
};

}  // namespace nearside::dns
