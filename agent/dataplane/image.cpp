// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/image.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/dataplane/pool_records.hpp"
#include "agent/dataplane/tables.hpp"
#include "agent/dns/respond.hpp"

namespace nearside::dataplane {

namespace {

constexpr std::size_t header_octets = 12;
constexpr std::size_t question_tail = 4;  // QTYPE and QCLASS
constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_ns = 2;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::uint16_t private_use_type = 65280;
constexpr std::array<std::uint16_t, TYPE_CLASS_COUNT> column_types{1, 28, 65, 6, 2, 16, 15, private_use_type};

std::uint16_t read16(std::span<const std::uint8_t> octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

void append16(std::vector<std::uint8_t>& octets, std::uint16_t value) {
  octets.push_back(static_cast<std::uint8_t>(value >> 8));
  octets.push_back(static_cast<std::uint8_t>(value & 0xff));
}

// A query as plain as can be: no EDNS, one question.
std::vector<std::uint8_t> plain_query(const dns::name& owner, std::uint16_t qtype) {
  std::vector<std::uint8_t> message(header_octets, 0);
  message[5] = 1;  // QDCOUNT
  message.insert(message.end(), owner.wire().begin(), owner.wire().end());
  append16(message, qtype);
  append16(message, class_in);
  return message;
}

// Past a name that is written out; 0: a pointer, or cut off.
std::size_t skip_labels(std::span<const std::uint8_t> octets, std::size_t at) {
  while (at < octets.size() && octets[at] != 0) {
    if (octets[at] > 63) return 0;
    at += std::size_t{octets[at]} + 1;
  }
  return at < octets.size() ? at + 1 : 0;
}

// Records whose owners are the QNAME or written out, NS first with names written out, then addresses.
bool suits_any_name(std::span<const std::uint8_t> octets, std::size_t ns, std::size_t additional) {
  constexpr std::size_t fixed_octets = 10;  // type, class, TTL, RDLENGTH
  constexpr std::uint16_t pointer_to_qname = 0xc000 | header_octets;
  std::size_t at = 0;
  for (std::size_t i = 0; i < ns + additional; ++i) {
    if (at + 2 > octets.size()) return false;
    at = read16(octets, at) == pointer_to_qname ? at + 2 : skip_labels(octets, at);
    if (at == 0 || at + fixed_octets > octets.size()) return false;
    const std::uint16_t type = read16(octets, at);
    const std::size_t rdata = at + fixed_octets;
    at = rdata + read16(octets, at + 8);
    if (at > octets.size()) return false;
    if (i < ns ? type != type_ns || skip_labels(octets.first(at), rdata) != at : type != type_a && type != type_aaaa) {
      return false;
    }
  }
  return at == octets.size();
}

}  // namespace

std::uint16_t checksum_of(std::span<const std::uint8_t> octets) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    sum += std::uint64_t{octets[i]} << (i % 2 == 0 ? 0 : 8);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t query_type_of(type_class column) noexcept { return column_types[column]; }

// Images are shared by names of different length, so what is too large is measured with the shortest QNAME, the root;
// the program itself compares the rest with what the client allows.
bool fits_in_a_reply(std::size_t octets) noexcept {
  return octets <= LARGE_IMAGE_OCTETS && header_octets + 1 + question_tail + octets <= MAX_UDP_REPLY;
}

image truncated_image(std::uint8_t flags) {
  image always;
  always.flags = static_cast<std::uint8_t>(flags | IMAGE_TRUNCATED);
  return always;
}

std::optional<image> cut(const dns::zone_set& zones, const dns::choices& chosen, const dns::name& owner,
                         std::size_t zone_octets, std::uint16_t qtype, std::size_t alternative) {
  const auto query = plain_query(owner, qtype);
  const auto reply = dns::respond(zones, chosen, {}, query, {.tcp = true, .alternative = alternative});
  if (reply.size() < query.size()) return std::nullopt;
  const bool truncated = (reply[2] & 0x02) != 0;
  const unsigned rcode = reply[3] & 0x0fu;
  if (truncated || rcode != 0) return std::nullopt;

  image answer;
  if ((reply[2] & 0x04) != 0) answer.flags |= IMAGE_AUTHORITATIVE;
  answer.ancount = read16(reply, 6);
  answer.nscount = read16(reply, 8);
  answer.arcount = read16(reply, 10);
  answer.octets.assign(reply.begin() + static_cast<std::ptrdiff_t>(query.size()), reply.end());
  answer.verdict = answer.ancount == 0 ? VERDICT_ANSWERED_NODATA : VERDICT_ANSWERED;

  if (answer.ancount == 0) {
    // NODATA: the SOA comes first. Its owner points into the QNAME (RFC 1035 4.1.4), or is the root, which needs no
    // pointer.
    const auto pointer = static_cast<std::uint16_t>(0xc000 | (header_octets + owner.wire().size() - zone_octets));
    if (answer.octets.size() < 2) return std::nullopt;
    if (answer.octets[0] != 0) {
      if (read16(answer.octets, 0) != pointer) return std::nullopt;
      answer.zone_pointer = 0;
      answer.octets[0] = 0;
      answer.octets[1] = 0;
    }
  }
  answer.checksum = checksum_of(answer.octets);
  return answer;
}

std::optional<image> cut_referral(std::span<const std::uint8_t> query, std::span<const std::uint8_t> reply) {
  if (reply.size() <= query.size() || (reply[2] & 0x06) != 0 || (reply[3] & 0x0f) != 0) return std::nullopt;
  image referral;
  referral.verdict = VERDICT_REFERRED;
  referral.ancount = read16(reply, 6);
  referral.nscount = read16(reply, 8);
  referral.arcount = read16(reply, 10);
  const auto octets = reply.subspan(query.size());
  if (referral.ancount != 0 || referral.nscount == 0 || !suits_any_name(octets, referral.nscount, referral.arcount)) {
    return std::nullopt;
  }
  referral.octets.assign(octets.begin(), octets.end());
  referral.checksum = checksum_of(referral.octets);
  return referral;
}

std::optional<image> render_referral(const dns::zone_set& zones, const dns::name& owner,
                                     std::shared_ptr<const dns::referral> to) {
  const dns::fixed_mapping map{dns::decision(std::move(to))};
  const auto query = plain_query(owner, query_type_of(TYPE_CLASS_A));
  auto referral = cut_referral(query, dns::respond(zones, {}, {}, query, {.tcp = true, .map = &map}));
  if (referral && !fits_in_a_reply(referral->octets.size())) {
    image truncated = truncated_image(0);
    truncated.verdict = VERDICT_REFERRED;
    return truncated;
  }
  return referral;
}

answer_images render_column(const dns::zone_set& zones, const dns::choices& chosen, const dns::name& owner,
                            std::size_t zone_octets, const dns::node& node, type_class which) {
  if (which == TYPE_CLASS_OTHER) {
    const bool has_other = std::any_of(node.rrsets.begin(), node.rrsets.end(), [](const dns::rrset& records) {
      return type_class_of(records.type) == TYPE_CLASS_OTHER;
    });
    if (has_other) return {};
    // DS at an apex is the parent's to answer (RFC 4035 3.1.4.1); where we serve the parent too, userland knows which.
    const bool is_apex = owner.wire().size() == zone_octets;
    if (is_apex && !owner.is_root() && zones.enclosing(owner.parent()) != nullptr) return {};
  }
  // Which servers a zone has that follows its parent depends on who asks.
  if (which == TYPE_CLASS_NS && owner.wire().size() == zone_octets) {
    const dns::zone* const zone = zones.enclosing(owner);
    if (zone != nullptr && zone->follows_parent()) return {};
  }
  const std::uint16_t qtype = query_type_of(which);
  const dns::rrset* const records = node.find(qtype);
  answer_images made;
  if (records != nullptr && records->pool < chosen.size()) {
    const dns::choice& decided = choice_of(chosen[records->pool], *records);
    if (decided.what == dns::choice::kind::answer) {
      dns::choices scratch;
      const auto parts = pool_records::cut(zones, owner, zone_octets, *records, scratch);
      if (!parts || !parts->compose(decided, made)) return {};
      return made;
    }
  }
  const bool in_pool = records != nullptr && records->pool != dns::no_pool;
  const std::size_t alternatives = records == nullptr || in_pool ? 1 : records->alternatives();
  made.images.reserve(alternatives);
  for (std::size_t i = 0; i < alternatives; ++i) {
    auto answer = cut(zones, chosen, owner, zone_octets, qtype, i);
    if (!answer) return {};
    // All alternatives have the same records, so none of them fits.
    if (!fits_in_a_reply(answer->octets.size())) return {{truncated_image(answer->flags)}, false};
    made.images.push_back(std::move(*answer));
  }
  return made;
}

}  // namespace nearside::dataplane
