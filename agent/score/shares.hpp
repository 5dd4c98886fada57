// SPDX-License-Identifier: BSD-2-Clause
// From servers and their weights to the prepared answers that show these shares. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/dns/choice.hpp"

namespace nearside::score {

/// Somebody who may stand first in an answer.
struct share {
  std::uint8_t address = 0;  // index into the RRset's rdatas
  std::uint32_t weight = 1;
};

/// Each stands first as often as its weight says, the others follow in a circle, `addresses` of them in all (at least
/// 1; more than there are: all). The alias method (Vose 1991), exact to 1/65,536. Weights of 0 only among other zeros.
[[nodiscard]] std::vector<dns::alternative> rotation(std::span<const share> among, std::size_t addresses);

/// The share of draws in which an address stands first, 0 to 1.
[[nodiscard]] double share_of(const std::vector<dns::alternative>& alternatives, std::uint8_t address);

/// Who gets which clients: a table of `buckets` alternatives, each won by rendezvous hashing (Thaler, Ravishankar 1998)
/// among those that are there, so that only the clients of a server that leaves move. Weights count (highest random
/// weight by -weight/ln).
class rendezvous {
 public:
  static constexpr std::size_t buckets = 255;

  /// `servers`: the names of all servers that may ever take part, by address; `weights` alike. Of some seeds the one is
  /// taken that splits the buckets most evenly while all take part.
  rendezvous(const std::vector<std::string>& servers, std::vector<std::uint32_t> weights);
  [[nodiscard]] std::vector<dns::alternative> table(std::span<const share> among, std::size_t addresses) const;

 private:
  [[nodiscard]] double score(std::size_t bucket, const share& of) const;
  [[nodiscard]] double unevenness() const;

  std::vector<std::uint64_t> hashes_;  // by address
  std::vector<std::uint32_t> weights_;
  std::uint64_t seed_ = 0;
};

}  // namespace nearside::score
