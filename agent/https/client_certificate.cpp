// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/client_certificate.hpp"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace nearside::https {
namespace asio = boost::asio;

namespace {

constexpr std::size_t longest_name = 253;

struct free_names {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

std::string_view text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// In lower case with the final dot; empty: no name that an edge can have. A zero octet in a name must not end it
/// early.
std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > longest_name) return {};
  std::string made(name);
  for (char& c : made) {
    if (c <= ' ' || c > '~') return {};
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return made + '.';
}

std::optional<asio::ip::address> address_of(std::string_view octets) {
  if (asio::ip::address_v4::bytes_type four; octets.size() == four.size()) {
    std::memcpy(four.data(), octets.data(), four.size());
    return asio::ip::address_v4(four);
  }
  if (asio::ip::address_v6::bytes_type six; octets.size() == six.size()) {
    std::memcpy(six.data(), octets.data(), six.size());
    return asio::ip::address_v6(six);
  }
  return std::nullopt;
}

std::optional<std::chrono::system_clock::time_point> time_of(const ASN1_TIME* when) {
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, when) != 1) return std::nullopt;
  return std::chrono::system_clock::now() + std::chrono::hours(24) * days + std::chrono::seconds(seconds);
}

}  // namespace

std::optional<client_certificate> certificate_of(const SSL* connection) {
  const X509* shown = SSL_get0_peer_certificate(connection);
  if (shown == nullptr) return std::nullopt;
  const auto not_after = time_of(X509_get0_notAfter(shown));
  if (!not_after) return std::nullopt;
  client_certificate found{{}, {}, *not_after};
  const std::unique_ptr<GENERAL_NAMES, free_names> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(shown, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      if (auto made = canonical(text_of(name->d.dNSName)); !made.empty()) found.names.push_back(std::move(made));
    } else if (name->type == GEN_IPADD) {
      if (const auto address = address_of(text_of(name->d.iPAddress))) found.addresses.push_back(*address);
    }
  }
  return found;
}

}  // namespace nearside::https
