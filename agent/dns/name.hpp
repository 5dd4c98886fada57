// SPDX-License-Identifier: BSD-2-Clause
// A domain name in wire format (RFC 1035 3.1): labels with their length octets, the root label last.
// The case of the letters is kept as given; comparison and hashing ignore it (RFC 4343).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"

namespace nearside::dns {

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

  friend bool operator==(const name& a, const name& b) noexcept { return compare(a, b) == 0; }
  /// Canonical order (RFC 4034 6.1).
  friend bool operator<(const name& a, const name& b) noexcept { return compare(a, b) < 0; }

 private:
  explicit name(std::string wire) : wire_(std::move(wire)) {}
  static int compare(const name& a, const name& b) noexcept;

  std::string wire_;
};

/// Hash of the lower-cased wire form.
struct name_hash {
  std::size_t operator()(const name& n) const noexcept;
};

}  // namespace nearside::dns
