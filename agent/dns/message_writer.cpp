// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dns/message_writer.hpp"

#include <algorithm>

#include "agent/dns/rr_type.hpp"

namespace nearside::dns {

namespace {

constexpr std::size_t header_octets = 12;
constexpr std::size_t usual_reply = 512;
constexpr std::size_t pointer_reach = 0x4000;  // a pointer has 14 bits (RFC 1035 4.1.4)
constexpr std::uint16_t pointer_mark = 0xc000;

}  // namespace

message_writer::message_writer() {
  octets_.reserve(usual_reply);
  octets_.resize(header_octets);
}

void message_writer::write_question(const question& asked) {
  const std::size_t offset = octets_.size();
  append(asked.qname.wire());
  u16(asked.qtype);
  u16(asked.qclass);
  add_targets(asked.qname, asked.qname.labels(), offset);
}

std::size_t message_writer::write_rrset(const name& owner, const rrset& set, std::uint32_t ttl, std::size_t first) {
  for (std::size_t i = 0; i < set.rdatas.size(); ++i) {
    write_record(owner, set.type, rr_class::in, ttl, set.rdatas[(first + i) % set.rdatas.size()]);
  }
  return set.rdatas.size();
}

std::size_t message_writer::write_rrset(const name& owner, const rrset& set, std::uint32_t ttl,
                                        std::span<const std::uint8_t> order) {
  for (const std::uint8_t record : order) write_record(owner, set.type, rr_class::in, ttl, set.rdatas[record]);
  return order.size();
}

void message_writer::write_record(const name& owner, std::uint16_t type, std::uint16_t rclass, std::uint32_t ttl,
                                  std::span<const std::uint8_t> data) {
  write_owner(owner);
  write_rest(type, rclass, ttl, data);
}

std::size_t message_writer::write_whole_rrset(const name& owner, const rrset& set, std::uint32_t ttl) {
  for (const rdata& data : set.rdatas) {
    append(owner.wire());
    write_rest(set.type, rr_class::in, ttl, data);
  }
  return set.rdatas.size();
}

void message_writer::write_rest(std::uint16_t type, std::uint16_t rclass, std::uint32_t ttl,
                                std::span<const std::uint8_t> data) {
  u16(type);
  u16(rclass);
  u16(static_cast<std::uint16_t>(ttl >> 16U));
  u16(static_cast<std::uint16_t>(ttl));
  u16(static_cast<std::uint16_t>(data.size()));
  append(data);
}

void message_writer::set_u16(std::size_t offset, std::uint16_t value) noexcept {
  octets_[offset] = static_cast<std::uint8_t>(value >> 8U);
  octets_[offset + 1] = static_cast<std::uint8_t>(value);
}

void message_writer::u16(std::uint16_t value) {
  octets_.push_back(static_cast<std::uint8_t>(value >> 8U));
  octets_.push_back(static_cast<std::uint8_t>(value));
}

// The root is never a target: its one octet is shorter than a pointer.
void message_writer::write_owner(const name& owner) {
  const auto wire = owner.wire();
  const label_starts starts(owner);
  for (std::size_t label = 0; label < starts.size(); ++label) {
    const auto suffix = wire.subspan(starts[label]);
    const auto found =
        std::find_if(targets_.begin(), targets_.end(), [&](const target& t) { return same_name(t.suffix, suffix); });
    if (found == targets_.end()) continue;
    const auto pointer = static_cast<std::uint16_t>(pointer_mark | found->offset);
    const std::size_t offset = octets_.size();
    append(wire.first(starts[label]));
    u16(pointer);
    add_targets(owner, label, offset);
    return;
  }
  const std::size_t offset = octets_.size();
  append(wire);
  add_targets(owner, starts.size(), offset);
}

void message_writer::add_targets(const name& owner, std::size_t labels, std::size_t offset) {
  const label_starts starts(owner);
  for (std::size_t label = 0; label < labels && offset + starts[label] < pointer_reach; ++label) {
    targets_.push_back({offset + starts[label], owner.wire().subspan(starts[label])});
  }
}

}  // namespace nearside::dns
