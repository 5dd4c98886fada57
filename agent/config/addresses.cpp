// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/addresses.hpp"

#include <string>

#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

error not_usable(std::string_view expected, std::string_view text, std::string_view because = {}) {
  std::string message = "expected " + std::string(expected) + ", found " + in_quotes(text);
  if (!because.empty()) message += ", " + std::string(because);
  return {errc::invalid, std::move(message)};
}

}  // namespace

result<boost::asio::ip::address> parse_host_address(std::string_view text) {
  constexpr std::string_view any_address = "an IPv4 or IPv6 address";
  constexpr std::string_view host_address = "the address of one host";
  if (text.find('/') != std::string_view::npos) return not_usable(any_address, text, "which has a prefix length");
  if (text.find('%') != std::string_view::npos) return not_usable(any_address, text, "which has a zone index");
  // An embedded NUL would end the text for inet_pton, which then takes the part in front of it.
  if (text.find('\0') != std::string_view::npos) return not_usable(any_address, text);
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(std::string(text), failed);
  if (failed) return not_usable(any_address, text);
  if (address.is_unspecified()) return not_usable(host_address, text, "the unspecified address");
  if (address.is_multicast()) return not_usable(host_address, text, "a multicast address");
  if (address.is_v4() && address.to_v4() == boost::asio::ip::address_v4::broadcast())
    return not_usable(host_address, text, "the broadcast address");
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return not_usable(any_address, text, "an IPv4 address inside IPv6: write it as IPv4");
  return address;
}

std::vector<std::uint8_t> address_octets(const boost::asio::ip::address& address) {
  if (address.is_v4()) {
    const auto octets = address.to_v4().to_bytes();
    return {octets.begin(), octets.end()};
  }
  const auto octets = address.to_v6().to_bytes();
  return {octets.begin(), octets.end()};
}

}  // namespace nearside::config
