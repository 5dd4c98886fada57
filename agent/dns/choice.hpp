// SPDX-License-Identifier: BSD-2-Clause
// What a balanced RRset answers now: prepared orders of its addresses, and how one of them is drawn. Made by the room
// `score`, read by the responder and by the publisher, all on one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nearside::dns {

/// One prepared answer.
struct alternative {
  std::vector<std::uint8_t> order;  // indices into the RRset's rdatas, the first address first; never empty
  // The alias method (Walker 1977): of the draws that fall on this alternative (share + 1) in 65,536 stay with it, the
  // others go to alternative `other`. So any shares are exact to 1/65,536 with as many alternatives as servers.
  std::uint16_t share = 0xffff;
  std::uint8_t other = 0;

  friend bool operator==(const alternative&, const alternative&) = default;
};

/// The answer of one RRset.
struct choice {
  enum class kind : std::uint8_t {
    answer,    ///< one of `alternatives`
    nodata,    ///< NOERROR without an answer: no server of this family is to be used
    servfail,  ///< the operator wants that rather than an address that does not work
  };
  kind what = kind::nodata;
  bool by_client = false;                 // drawn by a hash of the client's prefix (bpf/client_hash.h), not at random
  std::uint32_t ttl = 0;                  // seconds
  std::vector<alternative> alternatives;  // 1 to 255 where `what` is answer

  friend bool operator==(const choice&, const choice&) = default;
};

/// The choices of one pool of servers: for its A and for its AAAA RRset.
struct pool_choice {
  std::array<choice, 2> families;  // 0: A, 1: AAAA

  friend bool operator==(const pool_choice&, const pool_choice&) = default;
};

/// All pools, by rrset::pool. What a name without any pool answers is in its RRsets alone.
using choices = std::vector<pool_choice>;

/// What decides among the alternatives of an answer.
struct draw_numbers {
  std::uint32_t random = 0;
  std::uint32_t client = 0;                // client::number, for choices by client
  std::optional<std::size_t> alternative;  // just this one, of n the one numbered alternative % n; no number counts
};

/// Which alternative a random number, or the hash of a client, falls on. The program does the same (bpf/lookup.h).
[[nodiscard]] inline std::size_t draw(const std::vector<alternative>& from, std::uint32_t number) noexcept {
  const std::uint64_t place = std::uint64_t{number} * from.size();
  const auto index = static_cast<std::size_t>(place >> 32);
  const auto rest = static_cast<std::uint16_t>(place >> 16);
  return rest > from[index].share ? from[index].other : index;
}

}  // namespace nearside::dns
