// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_answering.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "agent/config/addresses.hpp"
#include "agent/config/wording.hpp"
#include "bpf/map_types.h"

namespace nearside::config {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::address;

constexpr std::size_t most_interfaces = 16;
constexpr std::size_t longest_interface = 15;  // IFNAMSIZ without its NUL

void read_interfaces(table_reader& table, std::vector<std::string>& interfaces) {
  const auto found = table.texts("interfaces");
  if (!found) return;
  if (found->value.size() > most_interfaces) {
    table.complain("interfaces", found->at,
                   "expected at most " + std::to_string(most_interfaces) + " interfaces, found " +
                       std::to_string(found->value.size()));
  }
  for (const auto& [text, at, last_line] : found->value) {
    // What the kernel accepts as a device's name (dev_valid_name).
    const bool valid = !text.empty() && text.size() <= longest_interface && text != "." && text != ".." &&
                       std::none_of(text.begin(), text.end(), [](char c) {
                         return c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' ';
                       });
    if (!valid)
      table.complain("interfaces", at,
                     "expected the name of a network interface of at most 15 octets, found " + in_quotes(text));
    else if (std::find(interfaces.begin(), interfaces.end(), text) != interfaces.end())
      table.complain("interfaces", at, in_quotes(text) + " is given twice");
    else
      interfaces.push_back(text);
  }
}

/// Adds the addresses of one key to those that are listened on.
void read_addresses(table_reader& table, std::string_view key, std::vector<address>& listen) {
  const auto found = table.texts(key);
  if (!found) return;
  if (found->value.empty()) table.complain(key, found->at, "expected at least one address, found none");
  for (const auto& [text, at, last_line] : found->value) {
    const auto one = parse_host_address(text);
    if (!one) {
      table.complain(key, at, one.error().message);
    } else if (std::find(listen.begin(), listen.end(), *one) != listen.end()) {
      table.complain(key, at, in_quotes(text) + " is given twice");
    } else {
      listen.push_back(*one);
      const auto of_family =
          std::count_if(listen.begin(), listen.end(), [&](const address& a) { return a.is_v6() == one->is_v6(); });
      if (of_family == MAX_LISTEN + 1) {
        table.complain(key, at,
                       "expected at most " + std::to_string(MAX_LISTEN) + " addresses of each family, found the " +
                           std::to_string(MAX_LISTEN + 1) + "th " + (one->is_v6() ? "IPv6" : "IPv4") + " address");
      }
    }
  }
}

}  // namespace

void read_answering(table_reader& table, answering_settings& answering) {
  constexpr std::array<std::string_view, 3> routes{"auto", "swap", "lookup"};
  constexpr std::array<std::string_view, 2> rules{"pass", "all"};
  read_interfaces(table, answering.interfaces);
  read_addresses(table, "listen", answering.listen);
  if (!table.has("listen")) table.complain("listen", table.at(), "expected the addresses to answer on, found none");
  table.integer_into<std::uint16_t>("port", answering.port, 1, 65'535);
  if (const auto lease = table.duration("lease", 1s, 1h)) answering.lease = lease->value;
  if (const auto route = table.one_of("replies", routes)) answering.replies = static_cast<reply_route>(*route);
  if (const auto rule = table.one_of("stale", rules)) answering.stale = static_cast<stale_rule>(*rule);
}

void read_direct_listen(table_reader& table, answering_settings& answering) {
  const std::size_t before = answering.listen.size();
  read_addresses(table, "direct_listen", answering.listen);
  answering.direct_listen.assign(answering.listen.begin() + static_cast<std::ptrdiff_t>(before),
                                 answering.listen.end());
}

}  // namespace nearside::config
