// SPDX-License-Identifier: BSD-2-Clause
// The names, the queries and what the answers must be: all that the benchmark asks, made reproducibly. Pure; no I/O.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/kernel/bench_types.h"

namespace nearside::bench {

inline constexpr std::size_t MAX_NAMES = 1'000'000;  // six digits
inline constexpr std::size_t SERVER_SETS = 1000;     // shared by the names
inline constexpr const char* ZONE = "lb.example.com.";

/// "n123456.lb.example.com.", 24 octets on the wire.
inline std::string name_text(std::size_t number) {
  std::string text("n000000.");
  for (std::size_t at = 6; number != 0 && at > 0; --at, number /= 10) text[at] = static_cast<char>('0' + number % 10);
  return text.append(ZONE);
}

/// The one server of a name's set, from the addresses for benchmarks (RFC 2544): 198.18.0.0/15.
inline std::array<std::uint8_t, 4> server_of(std::size_t number) {
  const std::size_t set = number % SERVER_SETS;
  return {198, 18, static_cast<std::uint8_t>(set >> 8), static_cast<std::uint8_t>(set & 0xff)};
}

enum class distribution { uniform, zipf };
enum class form {
  plain,  ///< type A, no EDNS, lower case: what a tool sends
  real,   ///< EDNS with DO=1, COOKIE and mixed case: what a recursive resolver sends
};

using mac_address = std::array<std::uint8_t, 6>;

struct workload {
  std::size_t names = 1;  // asked: number 0 to names - 1
  distribution drawn = distribution::uniform;
  form shape = form::plain;
  std::uint32_t clients = 0;  // how many of bench_address4() ask, drawn as the names are; 0: one that is none of them
  std::uint32_t sites = 0;    // each client is referred to the edges of one of so many; 0: it is answered

  friend auto operator<=>(const workload&, const workload&) = default;
};

/// The octets common to all frames of a shape: from 192.0.2.1 port 40000 to 192.0.2.53 port 53.
[[nodiscard]] std::vector<std::uint8_t> frame_of(form shape, const mac_address& from, const mac_address& to);

/// The sum that the generator makes each query's IP checksum of; 0 where they all come from one client.
[[nodiscard]] std::uint32_t ip_sum_of(const workload& asked, std::span<const std::uint8_t> frame);

/// The name of an edge: "e000017.ns.lb.example.com.".
inline std::string edge_text(std::uint32_t number) {
  std::string digits = std::to_string(number);
  return "e" + std::string(6 - digits.size(), '0') + digits + ".ns." + ZONE;
}

/// SEQUENCE_LENGTH queries with their checksums. Zipf: rank r is asked with a frequency of 1/r, the ranks are spread
/// over the names.
[[nodiscard]] std::vector<prepared_query> sequence_of(const workload& asked, std::span<const std::uint8_t> frame);

/// Empty: the frame is a right answer to one of the workload's queries, its checksums included; else what is wrong with
/// it.
[[nodiscard]] std::string complaint_about(std::span<const std::uint8_t> reply, const workload& asked);

}  // namespace nearside::bench
