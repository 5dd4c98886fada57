// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/rr_type.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/dns/name.hpp"

namespace nearside::dns {

namespace {

struct mnemonic {
  std::uint16_t type;
  std::string_view text;
};

// The IANA registry's types that are still met, and all that the agent itself refuses or treats in its own way.
constexpr std::array mnemonics{
    mnemonic{1, "A"},        mnemonic{2, "NS"},          mnemonic{5, "CNAME"},   mnemonic{6, "SOA"},
    mnemonic{12, "PTR"},     mnemonic{13, "HINFO"},      mnemonic{14, "MINFO"},  mnemonic{15, "MX"},
    mnemonic{16, "TXT"},     mnemonic{17, "RP"},         mnemonic{18, "AFSDB"},  mnemonic{24, "SIG"},
    mnemonic{25, "KEY"},     mnemonic{28, "AAAA"},       mnemonic{29, "LOC"},    mnemonic{30, "NXT"},
    mnemonic{33, "SRV"},     mnemonic{35, "NAPTR"},      mnemonic{36, "KX"},     mnemonic{37, "CERT"},
    mnemonic{39, "DNAME"},   mnemonic{41, "OPT"},        mnemonic{42, "APL"},    mnemonic{43, "DS"},
    mnemonic{44, "SSHFP"},   mnemonic{45, "IPSECKEY"},   mnemonic{46, "RRSIG"},  mnemonic{47, "NSEC"},
    mnemonic{48, "DNSKEY"},  mnemonic{49, "DHCID"},      mnemonic{50, "NSEC3"},  mnemonic{51, "NSEC3PARAM"},
    mnemonic{52, "TLSA"},    mnemonic{53, "SMIMEA"},     mnemonic{55, "HIP"},    mnemonic{59, "CDS"},
    mnemonic{60, "CDNSKEY"}, mnemonic{61, "OPENPGPKEY"}, mnemonic{62, "CSYNC"},  mnemonic{63, "ZONEMD"},
    mnemonic{64, "SVCB"},    mnemonic{65, "HTTPS"},      mnemonic{99, "SPF"},    mnemonic{108, "EUI48"},
    mnemonic{109, "EUI64"},  mnemonic{128, "NXNAME"},    mnemonic{249, "TKEY"},  mnemonic{250, "TSIG"},
    mnemonic{251, "IXFR"},   mnemonic{252, "AXFR"},      mnemonic{253, "MAILB"}, mnemonic{254, "MAILA"},
    mnemonic{255, "ANY"},    mnemonic{256, "URI"},       mnemonic{257, "CAA"},
};

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return lower_octet(static_cast<std::uint8_t>(x)) == lower_octet(static_cast<std::uint8_t>(y));
  });
}

/// The octets behind the name at the start of `octets`; nothing: no name there.
std::optional<std::span<const std::uint8_t>> behind_name(std::span<const std::uint8_t> octets) {
  const auto parsed = name::from_wire(octets);
  if (!parsed) return std::nullopt;
  return octets.subspan(parsed->wire().size());
}

/// TXT: one or more <character-string>s that fill the RDATA (RFC 1035 3.3.14).
bool is_strings(std::span<const std::uint8_t> octets) noexcept {
  if (octets.empty()) return false;
  while (!octets.empty()) {
    const std::size_t whole = 1U + octets[0];
    if (whole > octets.size()) return false;
    octets = octets.subspan(whole);
  }
  return true;
}

/// SOA: two names and five 32-bit numbers (RFC 1035 3.3.13).
bool is_soa(std::span<const std::uint8_t> octets) {
  const auto behind_mname = behind_name(octets);
  if (!behind_mname) return false;
  const auto behind_rname = behind_name(*behind_mname);
  return behind_rname && behind_rname->size() == 20;
}

}  // namespace

std::string type_text(std::uint16_t type) {
  const auto* found =
      std::find_if(mnemonics.begin(), mnemonics.end(), [&](const mnemonic& m) { return m.type == type; });
  return found != mnemonics.end() ? std::string(found->text) : "TYPE" + std::to_string(type);
}

std::optional<std::uint16_t> type_from_text(std::string_view text) {
  const auto* found =
      std::find_if(mnemonics.begin(), mnemonics.end(), [&](const mnemonic& m) { return same_text(m.text, text); });
  if (found != mnemonics.end()) return found->type;
  if (text.size() <= 4 || !same_text(text.substr(0, 4), "TYPE")) return std::nullopt;
  std::uint16_t number = 0;
  const auto [end, failed] = std::from_chars(text.data() + 4, text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_unserved_type(std::uint16_t type) noexcept {
  // SIG, KEY, NXT, DNAME, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, CDS, CDNSKEY.
  constexpr std::array<std::uint16_t, 11> unserved{24, 25, 30, rr_type::dname, 46, 47, 48, 50, 51, 59, 60};
  return std::find(unserved.begin(), unserved.end(), type) != unserved.end();
}

std::optional<std::size_t> rdata_name_at(std::uint16_t type) noexcept {
  switch (type) {
    case rr_type::ns:
    case rr_type::cname:
    case rr_type::ptr: return 0;
    case rr_type::mx:
    case rr_type::svcb:
    case rr_type::https: return 2;
    case rr_type::srv: return 6;
    default: return std::nullopt;
  }
}

bool is_well_formed(std::uint16_t type, std::span<const std::uint8_t> rdata) {
  constexpr std::size_t ds_fixed = 4;  // key tag, algorithm, digest type (RFC 4034 5.1)
  switch (type) {
    case rr_type::a: return rdata.size() == 4;
    case rr_type::aaaa: return rdata.size() == 16;
    case rr_type::txt: return is_strings(rdata);
    case rr_type::soa: return is_soa(rdata);
    case rr_type::ds: return rdata.size() > ds_fixed;
    default: break;
  }
  const auto at = rdata_name_at(type);
  if (!at) return true;
  if (rdata.size() < *at) return false;
  const auto rest = behind_name(rdata.subspan(*at));
  if (!rest) return false;
  // SVCB and HTTPS have parameters behind the name, the others end with it.
  return rest->empty() || type == rr_type::svcb || type == rr_type::https;
}

}  // namespace nearside::dns
