// SPDX-License-Identifier: BSD-2-Clause
// Any octets as each of the files that tell resolvers: bounds hold, and what is found could be asked. Seeds:
// tests/fuzz/seeds/resolver_files.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/mapping/resolver_files.hpp"

namespace {

using namespace nearside::mapping;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const found_resolvers& found) {
  require(found.addresses.size() <= most_resolvers && found.notes.size() <= 8);
  for (const auto& one : found.addresses) require(!one.is_unspecified() && !one.is_multicast());
  for (const auto& note : found.notes)
    for (const char c : note) require(c >= ' ' && c <= '~');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'782'900'000)};
  resolver_files all{parse_resolv_conf(text), parse_networkd_lease(text), parse_dhclient_leases(text, now)};
  check(all.resolv_conf);
  check(all.systemd_resolved);
  check(all.dhcp);
  for (const auto& found : {parse_dhcpcd_lease(text), parse_dhcpcd_lease6(text)}) {
    check(found);
    merge(all.dhcp, found);
  }
  check(all.dhcp);
  require(choose_resolvers(all).size() <= most_resolvers);
  return 0;
}
