// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/pool_records.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

namespace nearside::dataplane {

namespace {

// RFC 1035 4.1.3, the owner as a pointer: owner, type, class, TTL, RDLENGTH.
constexpr std::uint8_t qname_at = 12;  // in the message, behind its header
constexpr std::size_t ttl_at = 6;
constexpr std::size_t fixed_octets = 12;
constexpr std::size_t most_records = 256;  // an alternative names a record by one octet
constexpr std::uint16_t type_aaaa = 28;

std::uint16_t fold(std::uint64_t sum) noexcept {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace

const dns::choice& choice_of(const dns::pool_choice& pool, const dns::rrset& set) noexcept {
  return pool.families[set.type == type_aaaa ? 1 : 0];
}

std::optional<pool_records> pool_records::cut(const dns::zone_set& zones, const dns::name& owner,
                                              std::size_t zone_octets, const dns::rrset& set, dns::choices& scratch) {
  const std::size_t count = std::min(set.rdatas.size(), most_records);
  if (count == 0) return std::nullopt;
  dns::choice all{dns::choice::kind::answer, false, 0, {{}}};
  all.alternatives[0].order.resize(count);
  std::iota(all.alternatives[0].order.begin(), all.alternatives[0].order.end(), std::uint8_t{0});
  if (scratch.size() <= set.pool) scratch.resize(std::size_t{set.pool} + 1);
  scratch[set.pool].families = {all, all};
  auto answer = dataplane::cut(zones, scratch, owner, zone_octets, set.type, 0);
  scratch[set.pool] = {};

  // Every owner is the pointer to the QNAME, so all records are of one length, and an even one: sums just add up.
  const std::size_t record_octets = fixed_octets + set.rdatas[0].size();
  if (!answer || answer->ancount != count || answer->nscount != 0 || answer->arcount != 0 ||
      answer->octets.size() != count * record_octets || record_octets % 2 != 0) {
    return std::nullopt;
  }
  pool_records parts;
  parts.record_octets_ = record_octets;
  parts.octets_ = std::move(answer->octets);
  parts.flags_ = answer->flags;
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = std::span(parts.octets_).subspan(i * record_octets, record_octets);
    if (record[0] != 0xc0 || record[1] != qname_at) return std::nullopt;
    parts.checksums_.push_back(checksum_of(record));
  }
  return parts;
}

bool pool_records::compose(const dns::choice& decided, answer_images& into) const {
  const auto& all = decided.alternatives;
  if (all.empty() || all.size() > UINT8_MAX) return false;
  into.by_client = decided.by_client;
  into.images.resize(all.size());
  bool any_fits = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].other >= all.size() || !compose(all[i], decided.ttl, into.images[i])) return false;
    any_fits = any_fits || (into.images[i].flags & IMAGE_TRUNCATED) == 0;
  }
  if (!any_fits) into.images.assign(1, truncated_image(flags_));
  return true;
}

bool pool_records::compose(const dns::alternative& one, std::uint32_t ttl, image& into) const {
  const std::size_t length = one.order.size() * record_octets_;
  if (one.order.empty()) return false;
  into.share = one.share;
  into.other = one.other;
  into.verdict = VERDICT_ANSWERED;
  into.zone_pointer = NO_ZONE_POINTER;
  into.flags = flags_;
  into.nscount = 0;
  into.arcount = 0;
  if (!fits_in_a_reply(length)) {
    into.flags |= IMAGE_TRUNCATED;
    into.ancount = 0;
    into.checksum = 0;
    into.octets.clear();
    return true;
  }
  into.ancount = static_cast<std::uint16_t>(one.order.size());
  into.octets.resize(length);
  const std::array<std::uint8_t, 4> ttl_octets{static_cast<std::uint8_t>(ttl >> 24),
                                               static_cast<std::uint8_t>(ttl >> 16),
                                               static_cast<std::uint8_t>(ttl >> 8), static_cast<std::uint8_t>(ttl)};
  std::uint64_t sum = one.order.size() * std::uint64_t{checksum_of(ttl_octets)};
  auto* to = into.octets.data();
  for (const std::uint8_t record : one.order) {
    if (record >= checksums_.size()) return false;
    std::copy_n(octets_.begin() + static_cast<std::ptrdiff_t>(record * record_octets_), record_octets_, to);
    std::copy(ttl_octets.begin(), ttl_octets.end(), to + ttl_at);
    sum += checksums_[record];
    to += record_octets_;
  }
  into.checksum = fold(sum);
  return true;
}

}  // namespace nearside::dataplane
