// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/connection_table.hpp"

#include <algorithm>

namespace nearside {
namespace asio = boost::asio;

void connection_table::set_limit(std::size_t limit) noexcept { limit_ = std::max<std::size_t>(limit, 1); }

asio::ip::address connection_table::client_of(const asio::ip::address& address) {
  if (address.is_v4()) return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6);
  auto octets = v6.to_bytes();
  std::fill(octets.begin() + 8, octets.end(), std::uint8_t{0});
  return asio::ip::address_v6(octets);
}

connection_table::admission connection_table::admit(const asio::ip::address& address) {
  admission outcome;
  const auto client = client_of(address);
  const auto share = std::max<std::size_t>(limit_ / 4, 1);
  if (const auto held = per_client_.find(client); held != per_client_.end() && held->second >= share) {
    const auto own = std::find_if(by_idleness_.begin(), by_idleness_.end(),
                                  [&](const entry& candidate) { return candidate.client == client; });
    outcome.evicted = evict(own);
  } else if (entries_.size() >= limit_) {
    outcome.evicted = evict(by_idleness_.begin());
  }
  outcome.admitted = ++last_;
  entries_.emplace(last_, by_idleness_.insert(by_idleness_.end(), entry{last_, client}));
  ++per_client_[client];
  return outcome;
}

void connection_table::touch(id which) {
  if (const auto found = entries_.find(which); found != entries_.end())
    by_idleness_.splice(by_idleness_.end(), by_idleness_, found->second);
}

void connection_table::remove(id which) {
  if (const auto found = entries_.find(which); found != entries_.end()) static_cast<void>(evict(found->second));
}

connection_table::id connection_table::evict(order::iterator where) {
  const id number = where->number;
  const auto held = per_client_.find(where->client);
  if (--held->second == 0) per_client_.erase(held);
  entries_.erase(number);
  by_idleness_.erase(where);
  return number;
}

}  // namespace nearside
