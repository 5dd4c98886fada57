// SPDX-License-Identifier: BSD-2-Clause
// A client table over maps of its own, rows as tests write them, and a plain search to compare with.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "agent/dataplane/client_lookup.hpp"
#include "agent/dataplane/client_table.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"
#include "tests/support/load_rows.hpp"

namespace nearside::tests {

namespace ip = boost::asio::ip;
using namespace std::chrono_literals;
using dataplane::client_row;
using dataplane::client_table;
using dataplane::map_id;
using dataplane::object;
using mapping::prefix;

inline ip::address masked(const ip::address& address, unsigned length) {
  const auto mask = [length](auto octets) {
    for (unsigned bit = length; bit < octets.size() * 8; ++bit)
      octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] & ~(0x80u >> bit % 8));
    return octets;
  };
  if (address.is_v4()) return ip::address_v4(mask(address.to_v4().to_bytes()));
  return ip::address_v6(mask(address.to_v6().to_bytes()));
}

inline prefix make(const std::string& address, unsigned length) {
  return {masked(ip::make_address(address), length), static_cast<std::uint8_t>(length)};
}

inline client_row row(const std::string& address, unsigned length, std::uint32_t site) {
  return {make(address, length), site, {{192, 0, 2, static_cast<std::uint8_t>(site)}, {}}};
}

/// All rows once more, in the plainest way that there is.
class reference {
 public:
  void put(const client_row& r) { rows_[{r.who.address, r.who.length}] = r.site; }
  void erase(const prefix& who) { rows_.erase({who.address, who.length}); }
  [[nodiscard]] std::uint32_t site_of(const ip::address& source) const {
    for (unsigned length = source.is_v4() ? 33 : 65; length-- > 0;) {
      const auto found = rows_.find({masked(source, length), length});
      if (found != rows_.end()) return found->second;
    }
    return 0;
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  std::map<std::pair<ip::address, unsigned>, std::uint32_t> rows_;
};

/// The same numbers every time.
class dice {
 public:
  explicit dice(std::uint32_t seed) : numbers_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(numbers_()); }

 private:
  std::mt19937 numbers_;
};

struct client_table_fixture {
  explicit client_table_fixture(std::uint32_t rows4 = 4096, std::uint32_t rows6 = 4096)
      : tables(object::open_or_create(pins.path(), sizes(rows4, rows6)).value()),
        clients(tables, [this] { return now; }) {
    load_rows(clients, {});
  }

  static dataplane::map_sizes sizes(std::uint32_t rows4, std::uint32_t rows6) {
    auto s = small_sizes();
    s.mapping4 = rows4;
    s.mapping6 = rows6;
    s.sites = 1000;
    return s;
  }
  [[nodiscard]] std::optional<std::uint32_t> site(const std::string& source) const {
    return dataplane::site_of(tables, ip::make_address(source));
  }

  pin_root pins;
  object tables;
  std::chrono::steady_clock::time_point now{};
  client_table clients;
};

/// Few bits at each place, so that prefixes are often nested.
inline ip::address draw4(dice& random) {
  return ip::address_v4(0x0a000000u | (random() & 0x1u) << 16 | (random() & 0x3u) << 8 | (random() & 0xffu));
}

inline ip::address draw6(dice& random) {
  ip::address_v6::bytes_type octets{0x20, 1, 0xd, 0xb8};
  for (const std::size_t at : {5, 7, 15}) octets[at] = static_cast<std::uint8_t>(random() & 0x3u);
  octets[6] = static_cast<std::uint8_t>(random() & 0x80u);
  return ip::address_v6(octets);
}

}  // namespace nearside::tests
