// SPDX-License-Identifier: BSD-2-Clause
// Prefixes of which one only wants to know whether an address lies in any: as ranges that do not touch, searched by
// halving. A value; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <span>
#include <vector>

#include "agent/mapping/prefix.hpp"

namespace nearside::mapping {

class prefix_set {
 public:
  prefix_set() = default;
  explicit prefix_set(std::span<const prefix> prefixes);
  /// IPv4 inside IPv6 is IPv4.
  [[nodiscard]] bool contains(const boost::asio::ip::address& given) const;

 private:
  struct range {
    boost::asio::ip::address first;
    boost::asio::ip::address last;
  };
  std::vector<range> ranges_;  // in their order
};

}  // namespace nearside::mapping
