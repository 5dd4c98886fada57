// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/asker.hpp"

#include <string>

namespace nearside::admin {
namespace {

result<std::string> text_member(const boost::json::object& request, std::string_view key) {
  const auto* found = request.if_contains(key);
  if (found == nullptr) return std::string();
  if (!found->is_string()) return error{errc::invalid, "\"" + std::string(key) + "\" is no text"};
  return std::string(found->get_string());
}

result<boost::asio::ip::address> address_member(const boost::json::object& request, std::string_view key) {
  const auto text = text_member(request, key);
  if (!text) return text.error();
  if (text->empty()) return boost::asio::ip::address();
  boost::system::error_code bad;
  const auto address = boost::asio::ip::make_address(*text, bad);
  if (bad) return error{errc::invalid, "\"" + std::string(key) + "\" is no address: " + *text};
  return address;
}

}  // namespace

result<asker> parse_asker(const boost::json::object& request) {
  asker who;
  const auto resolver = address_member(request, "resolver");
  if (!resolver) return resolver.error();
  who.resolver = *resolver;
  const auto destination = address_member(request, "destination");
  if (!destination) return destination.error();
  who.destination = *destination;
  const auto client = text_member(request, "client");
  if (!client) return client.error();
  if (!client->empty()) {
    const auto prefix = mapping::parse_prefix(*client);
    if (!prefix) return error{errc::invalid, "\"client\": " + prefix.error().message};
    who.client = *prefix;
  }
  return who;
}

}  // namespace nearside::admin
