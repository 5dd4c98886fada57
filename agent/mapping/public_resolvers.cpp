// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/public_resolvers.hpp"

#include <array>
#include <string_view>

namespace nearside::mapping {
namespace {

constexpr auto ranges = std::to_array<std::string_view>({
    // Google Public DNS
    "8.8.4.0/24",
    "8.8.8.0/24",
    "74.125.0.0/16",
    "172.217.0.0/16",
    "172.253.0.0/16",
    "173.194.0.0/16",
    "192.178.0.0/15",
    "2001:4860::/32",
    "2404:6800::/32",
    "2607:f8b0::/32",
    "2800:3f0::/32",
    "2a00:1450::/32",
    "2c0f:fb50::/32",
    // Cloudflare
    "1.0.0.0/24",
    "1.1.1.0/24",
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "108.162.192.0/18",
    "131.0.72.0/22",
    "141.101.64.0/18",
    "162.158.0.0/15",
    "172.64.0.0/13",
    "173.245.48.0/20",
    "188.114.96.0/20",
    "190.93.240.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "2400:cb00::/32",
    "2405:8100::/32",
    "2405:b500::/32",
    "2606:4700::/32",
    "2803:f800::/32",
    "2a06:98c0::/29",
    "2c0f:f248::/32",
    // Quad9, and the network of its host
    "9.9.9.0/24",
    "66.185.112.0/20",
    "74.63.16.0/20",
    "149.112.112.0/24",
    "149.112.149.0/24",
    "2620:fe::/48",
    "2620:171::/40",
    // OpenDNS
    "67.215.64.0/19",
    "146.112.0.0/16",
    "155.190.0.0/16",
    "204.194.232.0/21",
    "208.67.216.0/21",
    "2620:0:cc0::/44",
    "2620:119::/40",
    "2a04:e4c0::/29",
    // AdGuard
    "94.140.14.0/23",
    "2a10:50c0::/29",
    // NextDNS, Control D, CleanBrowsing, Mullvad, DNS.SB, DNS4EU
    "45.90.28.0/22",
    "2a07:a8c0::/29",
    "76.76.2.0/24",
    "76.76.10.0/24",
    "2606:1a40::/32",
    "185.228.168.0/22",
    "194.242.2.0/24",
    "45.11.45.0/24",
    "185.222.222.0/24",
    "86.54.11.0/24",
    // UltraDNS, Comodo, Hurricane Electric
    "64.6.64.0/23",
    "156.154.70.0/23",
    "8.20.247.0/24",
    "8.26.56.0/24",
    "74.82.42.42/32",
    // AliDNS, DNSPod, 114DNS, Yandex
    "223.5.5.0/24",
    "223.6.6.0/24",
    "2400:3200::/32",
    "119.29.29.0/24",
    "114.114.114.0/23",
    "77.88.8.0/24",
});

}  // namespace

const std::vector<prefix>& well_known_public_resolvers() {
  static const std::vector<prefix> all = [] {
    std::vector<prefix> read;
    read.reserve(ranges.size());
    for (const std::string_view range : ranges) read.push_back(parse_prefix(range).value());
    return read;
  }();
  return all;
}

}  // namespace nearside::mapping
