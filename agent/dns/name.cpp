// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/name.hpp"

#include <algorithm>
#include <limits>

namespace nearside::dns {

namespace {

constexpr std::size_t max_label = 63;  // RFC 1035 2.3.4
constexpr std::size_t max_name = 255;  // RFC 1035 2.3.4: with the length octets and the root label

error bad(std::string_view text, std::string_view why) {
  return {errc::invalid, "name \"" + std::string(text) + "\": " + std::string(why)};
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The octet that an escape stands for; `at` is behind the backslash and moves behind the escape. -1: a bad escape.
int read_escape(std::string_view text, std::size_t& at) noexcept {
  if (at >= text.size()) return -1;
  if (!is_digit(text[at])) return static_cast<unsigned char>(text[at++]);
  if (at + 3 > text.size() || !is_digit(text[at + 1]) || !is_digit(text[at + 2])) return -1;
  const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  at += 3;
  return value <= std::numeric_limits<std::uint8_t>::max() ? value : -1;
}

/// Appends the labels of `text` to `wire`, without a root label. Gives whether the text ended with a dot.
result<bool> append_labels(std::string_view text, std::string& wire) {
  std::string label;
  bool ended = false;
  for (std::size_t at = 0; at < text.size();) {
    ended = text[at] == '.';
    if (!ended) {
      int octet = static_cast<unsigned char>(text[at++]);
      if (octet == '\\' && (octet = read_escape(text, at)) < 0) return bad(text, "bad escape");
      label.push_back(static_cast<char>(octet));
    } else {
      ++at;
    }
    if (!ended && at < text.size()) continue;
    if (label.empty()) return bad(text, "empty label");
    if (label.size() > max_label) return bad(text, "a label has more than 63 octets");
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
    if (wire.size() >= max_name) return bad(text, "longer than 255 octets");
    label.clear();
  }
  return ended;
}

}  // namespace

bool same_name(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](std::uint8_t x, std::uint8_t y) {
           return lower_octet(x) == lower_octet(y);
         });
}

result<name> name::from_text(std::string_view text) {
  // Without an origin every name is absolute: relative to the root is the same.
  if (text == "@") return bad(text, "there is no origin that it could stand for");
  return from_text(text, name());
}

result<name> name::from_text(std::string_view text, const name& origin) {
  if (text.empty()) return bad(text, "empty");
  if (text == ".") return name();
  if (text == "@") return origin;
  std::string wire;
  const auto absolute = append_labels(text, wire);
  if (!absolute) return absolute.error();
  if (*absolute) {
    wire.push_back('\0');
  } else {
    wire += origin.wire_;
  }
  if (wire.size() > max_name) return bad(text, "longer than 255 octets");
  return name(std::move(wire));
}

result<name> name::from_wire(std::span<const std::uint8_t> octets) {
  std::size_t at = 0;
  for (;;) {
    if (at >= octets.size()) return error{errc::invalid, "name on the wire: cut off"};
    const std::size_t length = octets[at];
    if (length > max_label) return error{errc::invalid, "name on the wire: not a plain label"};
    at += 1 + length;
    if (at > max_name) return error{errc::invalid, "name on the wire: longer than 255 octets"};
    if (length == 0) break;
  }
  return name(std::string(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(at)));
}

std::string name::text() const {
  if (is_root()) return ".";
  std::string shown;
  for (std::size_t at = 0; wire_[at] != '\0';) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(wire_[at++]));
    for (const char c : std::string_view(wire_).substr(at, length)) {
      const auto octet = static_cast<unsigned char>(c);
      if (octet <= ' ' || octet >= 127) {
        const std::string digits = std::to_string(octet);
        shown += '\\' + std::string(3 - digits.size(), '0') + digits;
      } else {
        if (std::string_view(".\\\"();@$").find(c) != std::string_view::npos) shown += '\\';
        shown += c;
      }
    }
    shown += '.';
    at += length;
  }
  return shown;
}

name name::lower() const {
  std::string wire = wire_;
  for (char& c : wire) c = static_cast<char>(lower_octet(static_cast<std::uint8_t>(c)));
  return name(std::move(wire));
}

std::size_t name::labels() const noexcept { return label_starts(*this).size(); }

name name::parent() const {
  if (is_root()) return {};
  return name(wire_.substr(1 + static_cast<std::size_t>(static_cast<unsigned char>(wire_[0]))));
}

bool name::is_at_or_below(const name& ancestor) const noexcept {
  const auto own = wire();
  for (std::size_t at = 0; own.size() - at >= ancestor.wire_.size(); at += 1U + own[at]) {
    if (own.size() - at == ancestor.wire_.size()) return same_name(own.subspan(at), ancestor.wire());
  }
  return false;
}

result<name> name::wildcard() const {
  std::string wire = std::string("\1*", 2) + wire_;
  if (wire.size() > max_name) return bad("*." + text(), "longer than 255 octets");
  return name(std::move(wire));
}

int name::compare(const name& a, const name& b) noexcept {
  const label_starts a_starts(a);
  const label_starts b_starts(b);
  const std::size_t common = std::min(a_starts.size(), b_starts.size());
  for (std::size_t from_right = 1; from_right <= common; ++from_right) {
    const auto x = a.wire().subspan(a_starts[a_starts.size() - from_right]);
    const auto y = b.wire().subspan(b_starts[b_starts.size() - from_right]);
    const std::size_t shorter = std::min(x[0], y[0]);
    for (std::size_t i = 1; i <= shorter; ++i) {
      const int difference = lower_octet(x[i]) - lower_octet(y[i]);
      if (difference != 0) return difference;
    }
    if (x[0] != y[0]) return x[0] - y[0];
  }
  return static_cast<int>(a_starts.size()) - static_cast<int>(b_starts.size());
}

label_starts::label_starts(const name& n) noexcept {
  const auto wire = n.wire();
  for (std::size_t at = 0; wire[at] != 0; at += 1U + wire[at]) starts_[count_++] = static_cast<std::uint8_t>(at);
  starts_[count_] = static_cast<std::uint8_t>(wire.size() - 1);
}

std::size_t name_hash::operator()(std::span<const std::uint8_t> wire) const noexcept {
  // FNV-1a, then a mix of the high half into the low bits. The keys are the operator's own names, so it needs no
  // secret.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t octet : wire) hash = (hash ^ lower_octet(octet)) * 0x100000001b3U;
  return static_cast<std::size_t>(hash ^ (hash >> 32U));
}

}  // namespace nearside::dns
