// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/chaos.hpp"

#include <algorithm>
#include <string_view>

#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

constexpr std::string_view id_server("\2id\6server\0", 11);
constexpr std::string_view hostname_bind("\10hostname\4bind\0", 15);
constexpr std::string_view version_server("\7version\6server\0", 16);
constexpr std::string_view version_bind("\7version\4bind\0", 14);

bool is(const name& n, std::string_view wire) noexcept {
  return same_name(n.wire(), {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
}

}  // namespace

const std::string* chaos_text(const identity& self, const question& asked) {
  if (asked.qtype != rr_type::txt && asked.qtype != rr_type::any) return nullptr;
  const std::string* told = nullptr;
  if (is(asked.qname, id_server) || is(asked.qname, hostname_bind)) told = &self.id;
  if (is(asked.qname, version_server) || is(asked.qname, version_bind)) told = &self.version;
  return told != nullptr && !told->empty() ? told : nullptr;
}

rdata text_rdata(const std::string& text) {
  constexpr std::size_t max_string = 255;
  rdata data;
  for (std::size_t at = 0; at < text.size(); at += max_string) {
    const std::string_view part = std::string_view(text).substr(at, max_string);
    data.push_back(static_cast<std::uint8_t>(part.size()));
    data.insert(data.end(), part.begin(), part.end());
  }
  return data;
}

}  // namespace nearside::dns
