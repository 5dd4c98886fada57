// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/listen.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace nearside::dataplane {

namespace asio = boost::asio;

namespace {

// Adds one address of ours to the list.
result<void> add(struct ::listen& list, const asio::ip::address& address, bool direct) {
  const bool broadcast = address.is_v4() && address.to_v4() == asio::ip::address_v4::broadcast();
  if (address.is_unspecified() || address.is_multicast() || broadcast) {
    return error{errc::invalid, "listen " + address.to_string() +
                                    ": must be one address of this node, not unspecified, multicast or broadcast"};
  }
  auto& count = address.is_v4() ? list.count4 : list.count6;
  if (count == MAX_LISTEN) {
    return error{errc::exhausted, "listen " + address.to_string() + ": at most " + std::to_string(MAX_LISTEN) +
                                      " addresses of each family"};
  }
  if (address.is_v4()) {
    const auto octets = address.to_v4().to_bytes();
    std::memcpy(&list.address4[count], octets.data(), octets.size());
  } else {
    const auto octets = address.to_v6().to_bytes();
    std::memcpy(list.address6[count], octets.data(), octets.size());
  }
  if (direct) {
    auto& bits = address.is_v4() ? list.direct4 : list.direct6;
    bits = static_cast<__u8>(bits | 1u << count);
  }
  ++count;
  return {};
}

result<struct ::listen> to_kernel(std::uint16_t port, std::span<const asio::ip::address> addresses,
                                  std::span<const asio::ip::address> direct) {
  struct ::listen list {};
  list.port = htons(port);
  if (port == 0) return error{errc::invalid, "listen: port 0"};
  const auto is_in = [](std::span<const asio::ip::address> all, const asio::ip::address& address) {
    return std::find(all.begin(), all.end(), address) != all.end();
  };
  for (const auto& address : addresses) {
    if (auto done = add(list, address, is_in(direct, address)); !done) return done.error();
  }
  for (const auto& address : direct) {
    if (!is_in(addresses, address)) {
      return error{errc::invalid, "listen " + address.to_string() + ": a direct address that is not listened on"};
    }
  }
  return list;
}

}  // namespace

result<bool> set_listen(const object& tables, std::uint16_t port, std::span<const asio::ip::address> addresses,
                        std::span<const asio::ip::address> direct) {
  const auto wanted = to_kernel(port, addresses, direct);
  if (!wanted) return wanted.error();
  const std::atomic_ref<__u32> index(tables.config().listen_index);
  const std::uint32_t current = index.load(std::memory_order_acquire) & 1u;
  if (std::memcmp(&tables.listen()[current], &*wanted, sizeof *wanted) == 0) return false;
  // A program that began before the last switch ended microseconds after it; a configuration does not change twice in
  // that time.
  tables.listen()[current ^ 1u] = *wanted;
  index.store(current ^ 1u, std::memory_order_release);
  return true;
}

listen_addresses get_listen(const object& tables) {
  const std::uint32_t current =
      std::atomic_ref<__u32>(tables.config().listen_index).load(std::memory_order_acquire) & 1u;
  const struct ::listen& list = tables.listen()[current];
  listen_addresses found;
  found.port = ntohs(list.port);
  for (int i = 0; i < std::min<int>(list.count4, MAX_LISTEN); ++i) {
    asio::ip::address_v4::bytes_type octets{};
    std::memcpy(octets.data(), &list.address4[i], octets.size());
    found.addresses.emplace_back(asio::ip::address_v4(octets));
    if ((list.direct4 >> i & 1) != 0) found.direct.push_back(found.addresses.back());
  }
  for (int i = 0; i < std::min<int>(list.count6, MAX_LISTEN); ++i) {
    asio::ip::address_v6::bytes_type octets{};
    std::memcpy(octets.data(), list.address6[i], octets.size());
    found.addresses.emplace_back(asio::ip::address_v6(octets));
    if ((list.direct6 >> i & 1) != 0) found.direct.push_back(found.addresses.back());
  }
  return found;
}

}  // namespace nearside::dataplane
