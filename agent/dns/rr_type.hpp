// SPDX-License-Identifier: BSD-2-Clause
// Numbers and mnemonics of RR types, and what the rest of the room must know of a type: is it served, and where the
// domain name in its RDATA begins. Beside them the RCODEs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nearside::dns {

/// The types that the code speaks of by name; any other is just its number.
namespace rr_type {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, srv = 33;
inline constexpr std::uint16_t dname = 39, opt = 41, ds = 43, svcb = 64, https = 65, caa = 257;
inline constexpr std::uint16_t nxname = 128, ixfr = 251, axfr = 252, mailb = 253, maila = 254, any = 255;
}  // namespace rr_type

namespace rr_class {
inline constexpr std::uint16_t in = 1, ch = 3;
}  // namespace rr_class

/// RCODEs that an answer can have (RFC 1035 4.1.1).
enum class rcode : std::uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  badvers = 16
};

/// "AAAA", or "TYPE1234" (RFC 3597 5) where there is no mnemonic.
[[nodiscard]] std::string type_text(std::uint16_t type);
/// The number of a mnemonic or of "TYPE1234", in any case; nothing: no such type.
[[nodiscard]] std::optional<std::uint16_t> type_from_text(std::string_view text);

/// OPT and the Q and meta types 128-255 (RFC 6895 3.1): they may be asked for, but no record has them.
[[nodiscard]] constexpr bool is_meta_type(std::uint16_t type) noexcept {
  return type == rr_type::opt || (type >= 128 && type <= 255);
}
/// Records that only mean something in a signed zone, or change how names below are found; zones here have none of
/// them. DS is not among them: it stands at a delegation of an unsigned zone as well.
[[nodiscard]] bool is_unserved_type(std::uint16_t type) noexcept;
/// Offset of the domain name in the RDATA of NS, CNAME, PTR, MX, SRV, SVCB and HTTPS; nothing for other types.
[[nodiscard]] std::optional<std::size_t> rdata_name_at(std::uint16_t type) noexcept;
/// Whether the RDATA have the shape of their type; those of a type not known here always have (RFC 3597).
[[nodiscard]] bool is_well_formed(std::uint16_t type, std::span<const std::uint8_t> rdata);

}  // namespace nearside::dns
