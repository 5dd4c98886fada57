// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/nonce.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <span>
#include <vector>

#include "agent/dns/name.hpp"
#include "agent/mapping/encoding.hpp"

namespace nearside::mapping {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

constexpr std::size_t mac_octets = 8;     // 64 bits: nobody finds one by asking
constexpr std::size_t nonce_octets = 16;  // edge, counter, MAC
constexpr std::size_t label_size = 26;
constexpr std::size_t most_label = 63;  // RFC 1035 2.3.4

/// What is signed, put together piece by piece.
class signed_text {
 public:
  explicit signed_text(std::string_view purpose) : octets_(purpose) {}
  signed_text& number(std::uint64_t value, unsigned size) {
    for (unsigned i = size; i-- > 0;) octets_ += static_cast<char>(value >> (8 * i) & 0xFFU);
    return *this;
  }
  /// Without regard to case: a resolver may have changed it on the way.
  signed_text& name(std::string_view text) {
    for (const char letter : text) octets_ += static_cast<char>(dns::lower_octet(static_cast<std::uint8_t>(letter)));
    return *this;
  }
  signed_text& octets(std::span<const std::uint8_t> some) {
    octets_.append(some.begin(), some.end());
    return *this;
  }
  [[nodiscard]] secret_key mac(const secret_key& key) const {
    secret_key out{};
    unsigned size = out.size();
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(octets_.data()),
         octets_.size(), out.data(), &size);
    return out;
  }

 private:
  std::string octets_;
};

secret_key mac_of(std::uint32_t counter, const secret_key& of_edge) {
  return signed_text("nonce").number(counter, 4).mac(of_edge);
}

bool same_mac(const std::uint8_t* given, const secret_key& right) {
  return CRYPTO_memcmp(given, right.data(), mac_octets) == 0;
}

std::uint32_t number_at(const std::vector<std::uint8_t>& octets, std::size_t at) {
  return std::uint32_t{octets[at]} << 24U | std::uint32_t{octets[at + 1]} << 16U | std::uint32_t{octets[at + 2]} << 8U |
         octets[at + 3];
}

std::uint64_t minute_of(instant now) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::minutes>(now.time_since_epoch()).count());
}

/// Four octets or sixteen.
std::vector<std::uint8_t> octets_of(const address& source) {
  if (source.is_v6() && !source.to_v6().is_v4_mapped()) {
    const auto octets = source.to_v6().to_bytes();
    return {octets.begin(), octets.end()};
  }
  const auto octets =
      (source.is_v4() ? source.to_v4() : boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, source.to_v6()))
          .to_bytes();
  return {octets.begin(), octets.end()};
}

secret_key token_mac(std::string_view label, std::span<const std::uint8_t> source, const secret_key& master,
                     std::uint64_t minute) {
  return signed_text("echo").number(label.size(), 1).name(label).octets(source).number(minute, 8).mac(master);
}

}  // namespace

secret_key key_of_edge(const secret_key& master, std::string_view edge) {
  return signed_text("edge").name(edge).mac(master);
}

std::string label_of(const nonce& n, const secret_key& of_edge) {
  std::vector<std::uint8_t> octets;
  for (const std::uint32_t number : {n.edge, n.counter})
    for (unsigned shift = 32; shift > 0; shift -= 8) octets.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
  const secret_key mac = mac_of(n.counter, of_edge);
  octets.insert(octets.end(), mac.begin(), mac.begin() + mac_octets);
  return base32hex(octets);
}

std::optional<nonce> parse_label(std::string_view label) {
  if (label.size() != label_size) return std::nullopt;
  const auto octets = parse_base32hex(label);
  if (!octets || octets->size() != nonce_octets) return std::nullopt;
  return nonce{number_at(*octets, 0), number_at(*octets, 4)};
}

bool verify(std::string_view label, const secret_key& of_edge) {
  if (label.size() != label_size) return false;
  const auto octets = parse_base32hex(label);
  return octets && octets->size() == nonce_octets &&
         same_mac(octets->data() + 8, mac_of(number_at(*octets, 4), of_edge));
}

std::string token_of(std::string_view label, const address& source, const secret_key& master, instant now) {
  const auto from = octets_of(source);
  const secret_key mac = token_mac(label, from, master, minute_of(now));
  std::vector<std::uint8_t> octets(mac.begin(), mac.begin() + mac_octets);
  octets.insert(octets.end(), from.begin(), from.end());
  return base32hex(octets);
}

std::optional<address> source_of(std::string_view token, std::string_view label, const secret_key& master,
                                 instant now) {
  if (token.size() > most_label || label.size() > most_label) return std::nullopt;
  const auto octets = parse_base32hex(token);
  if (!octets || (octets->size() != mac_octets + 4 && octets->size() != mac_octets + 16)) return std::nullopt;
  const auto source = std::span(*octets).subspan(mac_octets);
  const std::uint64_t minute = minute_of(now);
  if (!same_mac(octets->data(), token_mac(label, source, master, minute)) &&
      !same_mac(octets->data(), token_mac(label, source, master, minute - 1)))
    return std::nullopt;
  if (source.size() == 4) {
    address_v4::bytes_type v4{};
    std::copy(source.begin(), source.end(), v4.begin());
    return address_v4(v4);
  }
  address_v6::bytes_type v6{};
  std::copy(source.begin(), source.end(), v6.begin());
  return address_v6(v6);
}

}  // namespace nearside::mapping
