// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/sightings.hpp"

#include <algorithm>

namespace nearside::mapping {

bool sightings::add(const boost::asio::ip::address& egress, std::uint32_t counter, std::size_t most,
                    std::chrono::seconds counts, instant now) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const nonces& n) { return n.egress == egress; });
  nonces seen = found == all_.end() ? nonces{} : *found;
  const auto known = seen.counters.begin() + seen.count;
  if (std::find(seen.counters.begin(), known, counter) != known) return false;
  seen.egress = egress;
  std::move_backward(seen.counters.begin(), seen.counters.end() - 1, seen.counters.end());
  std::move_backward(seen.seen.begin(), seen.seen.end() - 1, seen.seen.end());
  seen.counters[0] = counter;
  seen.seen[0] = now;
  seen.count = static_cast<std::uint8_t>(std::min<std::size_t>(seen.count + 1U, most_nonces));
  if (found != all_.end()) all_.erase(found);
  // The oldest stand at the front.
  const auto counting =
      std::find_if(all_.begin(), all_.end(), [&](const nonces& n) { return now - n.seen[0] <= counts; });
  all_.erase(all_.begin(), counting);
  if (all_.size() >= most) all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(all_.size() - most + 1));
  all_.push_back(seen);
  return true;
}

std::optional<instant> sightings::find(const boost::asio::ip::address& egress, std::uint32_t counter,
                                       std::chrono::seconds counts, instant now) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const nonces& n) { return n.egress == egress; });
  if (found == all_.end()) return std::nullopt;
  for (std::size_t i = 0; i < found->count; ++i)
    if (found->counters[i] == counter && now - found->seen[i] <= counts) return found->seen[i];
  return std::nullopt;
}

}  // namespace nearside::mapping
