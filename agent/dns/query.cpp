// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/query.hpp"

#include <algorithm>
#include <optional>

#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

constexpr std::size_t header_octets = 12;
constexpr std::uint16_t option_nsid = 3;    // RFC 5001
constexpr std::uint16_t option_subnet = 8;  // RFC 7871

/// Takes from the front of untrusted octets; each function gives nothing when there is not enough left.
class reader {
 public:
  explicit reader(std::span<const std::uint8_t> octets) : rest_(octets) {}
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  std::optional<std::span<const std::uint8_t>> take(std::size_t count) noexcept {
    if (count > rest_.size()) return std::nullopt;
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  std::optional<std::uint8_t> u8() noexcept {
    const auto octets = take(1);
    if (!octets) return std::nullopt;
    return (*octets)[0];
  }
  std::optional<std::uint16_t> u16() noexcept {
    const auto octets = take(2);
    if (!octets) return std::nullopt;
    return static_cast<std::uint16_t>((*octets)[0] << 8U | (*octets)[1]);
  }
  std::optional<name> uncompressed_name() {
    auto parsed = name::from_wire(rest_);
    if (!parsed) return std::nullopt;
    rest_ = rest_.subspan(parsed->wire().size());
    return std::move(*parsed);
  }
  /// Steps over an owner name, which a pointer may end. Gives whether it was the root, in one octet.
  std::optional<bool> skip_owner() noexcept {
    constexpr std::uint8_t pointer = 0xc0;
    for (std::size_t octets = 0;;) {
      const auto length = u8();
      if (!length) return std::nullopt;
      if (*length == 0) return octets == 0;
      if ((*length & pointer) == pointer) return take(1) ? std::optional(false) : std::nullopt;
      octets += 1U + *length;
      if ((*length & pointer) != 0 || octets >= 255 || !take(*length)) return std::nullopt;
    }
  }

 private:
  std::span<const std::uint8_t> rest_;
};

/// One resource record behind the question; its owner matters only for OPT.
struct record {
  bool at_root = false;
  std::uint16_t type = 0;
  std::uint16_t rclass = 0;
  std::span<const std::uint8_t> ttl;
  std::span<const std::uint8_t> rdata;
};

std::optional<record> read_record(reader& from) noexcept {
  const auto at_root = from.skip_owner();
  const auto type = at_root ? from.u16() : std::nullopt;
  const auto rclass = type ? from.u16() : std::nullopt;
  const auto ttl = rclass ? from.take(4) : std::nullopt;
  const auto length = ttl ? from.u16() : std::nullopt;
  const auto rdata = length ? from.take(*length) : std::nullopt;
  if (!rdata) return std::nullopt;
  return record{*at_root, *type, *rclass, *ttl, *rdata};
}

/// RFC 7871 6 and 7.1.2; nothing: malformed.
std::optional<client_subnet> read_subnet(std::span<const std::uint8_t> option) {
  reader from(option);
  const auto family = from.u16();
  const auto source = from.u8();
  const auto scope = from.u8();
  if (!family || !source || !scope || *scope != 0) return std::nullopt;
  std::size_t most = 0;
  if (*family == 1) {
    most = 32;
  } else if (*family == 2) {
    most = 128;
  } else if (*family != 0) {
    return std::nullopt;
  }
  if (*source > most) return std::nullopt;
  const auto address = from.take((*source + 7U) / 8U);
  if (!address || !from.empty()) return std::nullopt;
  const unsigned spare = (8U - *source % 8U) % 8U;
  if (!address->empty() && (address->back() & ((1U << spare) - 1U)) != 0) return std::nullopt;
  return client_subnet{*family, *source, {address->begin(), address->end()}};
}

/// What became of the options of an OPT record.
enum class options { good, bad_subnet, overrun };

options read_options(std::span<const std::uint8_t> rdata, edns& into) {
  bool bad_subnet = false;
  for (reader from(rdata); !from.empty();) {
    const auto code = from.u16();
    const auto length = code ? from.u16() : std::nullopt;
    const auto value = length ? from.take(*length) : std::nullopt;
    if (!value) return options::overrun;
    if (*code == option_nsid) into.wants_nsid = true;
    if (*code != option_subnet) continue;
    auto subnet = read_subnet(*value);
    bad_subnet = bad_subnet || !subnet || into.subnet.has_value();
    if (subnet) into.subnet = std::move(subnet);
  }
  return bad_subnet ? options::bad_subnet : options::good;
}

/// Reads the records behind the question into q.edns; gives what is wrong with them.
query_fault read_records(reader& from, std::size_t before_additional, std::size_t additional, query& q) {
  std::optional<record> opt;
  for (std::size_t i = 0; i < before_additional + additional; ++i) {
    const auto one = read_record(from);
    if (!one) return query_fault::malformed;
    if (one->type != rr_type::opt) continue;
    if (opt || !one->at_root || i < before_additional) return query_fault::malformed;  // RFC 6891 6.1.1
    opt = one;
  }
  if (!opt) return from.empty() ? query_fault::none : query_fault::malformed;

  edns e;
  e.udp_size = opt->rclass;
  e.version = opt->ttl[1];
  e.dnssec_ok = (opt->ttl[2] & 0x80U) != 0;
  // The options of a later version may have another form, so the version comes first (RFC 6891 6.1.3).
  options found = options::good;
  if (e.version == 0) found = read_options(opt->rdata, e);
  if (found == options::overrun) return query_fault::malformed;
  if (found == options::bad_subnet) {
    e.subnet.reset();
    e.wants_nsid = false;
  }
  const bool later = e.version > 0;
  q.edns = std::move(e);
  if (found == options::bad_subnet || !from.empty()) return query_fault::malformed;
  return later ? query_fault::version : query_fault::none;
}

std::optional<question> read_question(reader& from) {
  auto qname = from.uncompressed_name();
  const auto qtype = qname ? from.u16() : std::nullopt;
  const auto qclass = qtype ? from.u16() : std::nullopt;
  if (!qclass) return std::nullopt;
  return question{std::move(*qname), *qtype, *qclass};
}

}  // namespace

query parse_query(std::span<const std::uint8_t> message) {
  query q;
  const auto at = [&](std::size_t offset) {
    return static_cast<std::size_t>(message[offset] << 8U | message[offset + 1]);
  };
  if (message.size() < header_octets || (message[2] & 0x80U) != 0) {
    q.fault = query_fault::not_ours;
    return q;
  }
  q.id = static_cast<std::uint16_t>(at(0));
  q.opcode = (message[2] >> 3U) & 0x0fU;
  q.recursion_desired = (message[2] & 0x01U) != 0;
  q.checking_disabled = (message[3] & 0x10U) != 0;

  reader from(message.subspan(header_octets));
  if (at(4) == 1) q.asked = read_question(from);
  q.fault = q.asked ? read_records(from, at(6) + at(8), at(10), q) : query_fault::malformed;
  // What another opcode's message looks like behind the question is not ours to judge.
  if (q.opcode != 0) q.fault = query_fault::opcode;
  return q;
}

}  // namespace nearside::dns
