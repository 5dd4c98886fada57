// SPDX-License-Identifier: BSD-2-Clause
// What files of a host say about its recursive resolvers: resolv.conf(5) and the leases of DHCP clients. Untrusted text
// in, addresses out; whatever makes no sense is left out with a note. Pure; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nearside::mapping {

/// Who says that an address is a resolver of this host.
enum class resolver_source : std::uint8_t { configuration, resolv_conf, systemd_resolved, dhcp };
[[nodiscard]] std::string_view text_of(resolver_source from) noexcept;  // "configuration", "resolv.conf", ...

struct resolver {
  boost::asio::ip::address address;  // a link-local one has its zone index
  std::uint16_t port = 53;
  resolver_source from = resolver_source::configuration;

  friend bool operator==(const resolver&, const resolver&) = default;
};

inline constexpr std::size_t most_resolvers = 8;
/// Octets of a file that are read. The newest lease stands at the end of a file that grows, so that its end is read.
inline constexpr std::size_t most_resolver_file = 1u << 20U;

struct found_resolvers {
  std::vector<boost::asio::ip::address> addresses;  // in the file's order, each once, at most most_resolvers
  std::vector<std::string> notes;                   // what was left out and why, "line 3: no address: 192.0.2.300"

  friend bool operator==(const found_resolvers&, const found_resolvers&) = default;
};

/// Lines `nameserver ADDRESS`, the last part of an IPv6 address may be a zone index ("fe80::1%eth0").
[[nodiscard]] found_resolvers parse_resolv_conf(std::string_view text);

/// dhclient.leases(5): `option domain-name-servers` of each interface's newest lease and `option dhcp6.name-servers` of
/// its newest lease6. A lease that is over at `now` says nothing.
[[nodiscard]] found_resolvers parse_dhclient_leases(std::string_view text, std::chrono::system_clock::time_point now);

/// Lines `DNS=ADDRESS ...` of systemd-networkd (/run/systemd/netif/leases) and NetworkManager.
[[nodiscard]] found_resolvers parse_networkd_lease(std::string_view text);

/// dhcpcd keeps the server's message as it came: RFC 2131 with option 6 (RFC 2132 3.8), or RFC 8415 with option 23
/// (RFC 3646 3).
[[nodiscard]] found_resolvers parse_dhcpcd_lease(std::string_view octets);
[[nodiscard]] found_resolvers parse_dhcpcd_lease6(std::string_view octets);

/// Adds what another file says, within the same bounds.
void merge(found_resolvers& found, const found_resolvers& more);

/// What all of the files say together.
struct resolver_files {
  found_resolvers resolv_conf;
  found_resolvers systemd_resolved;  // /run/systemd/resolve/resolv.conf
  found_resolvers dhcp;              // of all leases
};

/// Those of resolv.conf, where systemd-resolved's own address (127.0.0.53, 127.0.0.54) stands for the servers that it
/// asks. Where only addresses of this host are left, or none, those of the leases follow.
[[nodiscard]] std::vector<resolver> choose_resolvers(const resolver_files& files);

}  // namespace nearside::mapping
