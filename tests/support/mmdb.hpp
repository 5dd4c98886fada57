// SPDX-License-Identifier: BSD-2-Clause
// Writes small MaxMind databases (MaxMind DB file format 2.0): prefixes with a location, in a tree for IPv6 that has
// IPv4 at ::/96.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/mapping/prefix.hpp"

namespace nearside::test {

class mmdb {
 public:
  void put(const mapping::prefix& who, double latitude, double longitude) {
    std::vector<bool> bits;
    if (who.address.is_v4()) {
      bits.assign(96, false);
      append(bits, who.address.to_v4().to_bytes(), who.length);
    } else {
      append(bits, who.address.to_v6().to_bytes(), who.length);
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < bits.size(); ++i) {
      if (nodes_[at].next[bits[i]] == 0) {
        nodes_[at].next[bits[i]] = nodes_.size();
        nodes_.emplace_back();
      }
      at = nodes_[at].next[bits[i]];
    }
    nodes_[at].data[bits.back()] = data_.size() + 1;
    data_ +=
        map(1) + text("location") + map(2) + text("latitude") + real(latitude) + text("longitude") + real(longitude);
  }

  /// The file's content.
  [[nodiscard]] std::string content() const {
    std::string all;
    for (const node& n : nodes_) {
      for (const int bit : {0, 1}) {
        std::size_t record = nodes_.size();  // nothing there
        if (n.data[bit] != 0)
          record = nodes_.size() + 16 + n.data[bit] - 1;
        else if (n.next[bit] != 0)
          record = n.next[bit];
        all += number(record, 3);
      }
    }
    return all + std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com" + map(9) +
           text("binary_format_major_version") + small(2) + text("binary_format_minor_version") + small(0) +
           text("build_epoch") + "\x08\x02" + number(1'800'000'000, 8) + text("database_type") + text("Test-City") +
           text("description") + map(0) + text("ip_version") + small(6) + text("languages") +
           std::string("\x00\x04", 2) + text("node_count") + "\xc4" + number(nodes_.size(), 4) + text("record_size") +
           small(24);
  }

 private:
  struct node {
    std::size_t next[2] = {0, 0};  // 0: none, for nothing leads back to the root
    std::size_t data[2] = {0, 0};  // 1 and up: offset + 1 in data_
  };

  template <typename Octets>
  static void append(std::vector<bool>& bits, const Octets& octets, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) bits.push_back(((octets[i / 8] >> (7 - i % 8)) & 1U) != 0);
  }
  static std::string number(std::uint64_t value, int octets) {
    std::string made;
    for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) made.push_back(static_cast<char>(value >> shift));
    return made;
  }
  static std::string control(unsigned type, std::size_t size) { return {static_cast<char>(type << 5U | size)}; }
  static std::string map(std::size_t pairs) { return control(7, pairs); }
  static std::string text(std::string_view value) { return control(2, value.size()) + std::string(value); }
  static std::string real(double value) { return control(3, 8) + number(std::bit_cast<std::uint64_t>(value), 8); }
  static std::string small(unsigned value) { return control(5, 2) + number(value, 2); }

  std::vector<node> nodes_{1};
  std::string data_;
};

}  // namespace nearside::test
