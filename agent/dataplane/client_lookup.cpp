// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/client_lookup.hpp"

#include "agent/dataplane/client_address.hpp"

namespace {

// What bpf/client_lookup.h asks for.
#define CLIENT_TABLES const nearside::dataplane::object&

template <typename T>
const T* element(std::span<T> all, __u32 index) {
  return index < all.size() ? &all[index] : nullptr;
}

const block4* block4_at(CLIENT_TABLES tables, __u32 index) { return element(tables.blocks4(), index); }
const bucket4* bucket4_at(CLIENT_TABLES tables, __u32 index) { return element(tables.rows4(), index); }
const bucket6* bucket6_at(CLIENT_TABLES tables, __u32 index) { return element(tables.rows6(), index); }

#include "bpf/client_lookup.h"

}  // namespace

namespace nearside::dataplane {

std::optional<std::uint32_t> site_of(const object& tables, const boost::asio::ip::address& source) noexcept {
  const int site = source.is_v4() ? site_of_ipv4(tables, &tables.config(), number_of(source.to_v4()))
                                  : site_of_ipv6(tables, &tables.config(), number_of(source.to_v6()));
  if (site < 0) return std::nullopt;
  return static_cast<std::uint32_t>(site);
}

}  // namespace nearside::dataplane
