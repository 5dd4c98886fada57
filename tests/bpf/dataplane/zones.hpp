// SPDX-License-Identifier: BSD-2-Clause
// Zones for the publisher's tests: lb.example. with its SOA and NS, and names given by the test.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "agent/dns/zone.hpp"

namespace nearside::tests {

inline dns::name name_of(const std::string& text) { return dns::name::from_text(text).value(); }

inline void append(dns::rdata& data, const dns::name& n) { data.insert(data.end(), n.wire().begin(), n.wire().end()); }

class zone_builder {
 public:
  explicit zone_builder(const std::string& apex = "lb.example.", std::uint32_t serial = 1) : zone_(name_of(apex)) {
    dns::rdata soa;
    const bool root = apex == ".";
    append(soa, name_of(root ? "ns." : "ns." + apex));
    append(soa, name_of(root ? "host." : "host." + apex));
    for (const std::uint32_t number : {serial, 3600u, 600u, 86400u, 30u}) {
      for (int shift = 24; shift >= 0; shift -= 8) soa.push_back(static_cast<std::uint8_t>(number >> shift));
    }
    add(apex, 6, soa);
    dns::rdata ns;
    append(ns, name_of("ns.example.net."));
    add(apex, 2, ns);
  }

  zone_builder& add(const std::string& owner, std::uint16_t type, dns::rdata data, std::uint32_t ttl = 20) {
    zone_.add(name_of(owner), type, ttl, std::move(data)).value();
    return *this;
  }
  /// A and AAAA records, balanced where there are several.
  zone_builder& servers(const std::string& owner, const std::vector<std::string>& addresses, std::uint32_t ttl = 20) {
    for (const auto& text : addresses) {
      const auto address = boost::asio::ip::make_address(text);
      if (address.is_v4()) {
        const auto bytes = address.to_v4().to_bytes();
        add(owner, 1, {bytes.begin(), bytes.end()}, ttl);
      } else {
        const auto bytes = address.to_v6().to_bytes();
        add(owner, 28, {bytes.begin(), bytes.end()}, ttl);
      }
    }
    return *this;
  }
  /// The same in a pool.
  zone_builder& pooled(const std::string& owner, std::uint32_t pool, const std::vector<std::string>& addresses) {
    servers(owner, addresses);
    zone_.balance(name_of(owner), pool);
    return *this;
  }
  /// A mapped name, its servers those of a pool.
  zone_builder& mapped(const std::string& owner, std::uint32_t number, const std::vector<std::string>& addresses = {}) {
    pooled(owner, number, addresses);
    zone_.map(name_of(owner), number).value();
    return *this;
  }
  zone_builder& target(const std::string& owner, std::uint16_t type, const std::string& name) {
    dns::rdata data;
    append(data, name_of(name));
    return add(owner, type, data);
  }
  zone_builder& text(const std::string& owner, const std::string& words) {
    dns::rdata data{static_cast<std::uint8_t>(words.size())};
    data.insert(data.end(), words.begin(), words.end());
    return add(owner, 16, data);
  }

  [[nodiscard]] dns::zone take() {
    zone_.balance_several();
    return std::move(zone_);
  }
  [[nodiscard]] dns::zone_set alone() {
    dns::zone_set all;
    all.add(take()).value();
    return all;
  }

 private:
  dns::zone zone_;
};

}  // namespace nearside::tests
