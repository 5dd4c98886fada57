// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/prefix_set.hpp"

#include <algorithm>

namespace nearside::mapping {
namespace {

using boost::asio::ip::address;

address last_of(const prefix& p) {
  if (p.address.is_v4()) {
    const std::uint32_t host = p.length == 32 ? 0 : ~std::uint32_t{0} >> p.length;
    return boost::asio::ip::address_v4(p.address.to_v4().to_uint() | host);
  }
  auto octets = p.address.to_v6().to_bytes();
  for (std::size_t bit = p.length; bit < 128; ++bit)
    octets[bit / 8] = static_cast<unsigned char>(octets[bit / 8] | (0x80U >> (bit % 8)));
  return boost::asio::ip::address_v6(octets);
}

}  // namespace

prefix_set::prefix_set(std::span<const prefix> prefixes) {
  std::vector<prefix> sorted(prefixes.begin(), prefixes.end());
  std::sort(sorted.begin(), sorted.end());
  for (const prefix& p : sorted) {
    // Prefixes lie within each other or apart: one that begins in the last range ends there too.
    if (ranges_.empty() || ranges_.back().last < p.address) ranges_.push_back({p.address, last_of(p)});
  }
}

bool prefix_set::contains(const address& given) const {
  const address a = prefix_of(given, 128).address;
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), a, [](const address& x, const range& r) { return x < r.first; });
  return after != ranges_.begin() && !(std::prev(after)->last < a);
}

}  // namespace nearside::mapping
