// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/tables.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <cstring>
#include <string>
#include <vector>

#include "agent/dataplane/name_row.hpp"

namespace nearside::dataplane {

namespace {

template <typename Value>
std::optional<installed_name> decode(const name_key& key, const Value& value) {
  auto owner = dns::name::from_wire({reinterpret_cast<const std::uint8_t*>(value.name), sizeof value.name});
  if (!owner) return std::nullopt;
  return installed_name{std::move(*owner), key, value.binding.set,
                        static_cast<std::uint8_t>(value.binding.tag_and_zone & ~BINDING_TAG_MASK)};
}

template <typename Value>
result<void> dump(const object& tables, map_id map, const std::function<void(installed_name&&)>& visit) {
  // A batch ends with a whole bucket of the hash table; one with more names than this is not to be expected.
  constexpr std::uint32_t batch = 4096;
  std::vector<name_key> keys(batch);
  std::vector<Value> values(batch);
  std::uint32_t position = 0;
  for (bool first = true, last = false; !last; first = false) {
    std::uint32_t next = 0;
    std::uint32_t count = batch;
    if (bpf_map_lookup_batch(tables.fd(map), first ? nullptr : &position, &next, keys.data(), values.data(), &count,
                             nullptr) != 0) {
      if (errno != ENOENT) return system_error(errno, "map " + std::string(map_label(map)) + ": dump");
      last = true;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      if (auto row = decode(keys[i], values[i])) visit(std::move(*row));
    }
    position = next;
  }
  return {};
}

template <typename Value>
result<std::optional<installed_name>> find(const object& tables, map_id map, const name_words& name) {
  Value value{};
  if (bpf_map_lookup_elem(tables.fd(map), &name.key, &value) != 0) {
    if (errno == ENOENT) return std::optional<installed_name>();
    return system_error(errno, "map " + std::string(map_label(map)) + ": look-up");
  }
  if (std::memcmp(value.name, name.words.data(), sizeof value.name) != 0) return std::optional<installed_name>();
  return decode(name.key, value);
}

template <typename Slot>
std::optional<image_view> view(std::span<Slot> slots, std::uint32_t index) {
  if (index >= slots.size()) return std::nullopt;
  const Slot& slot = slots[index];
  image_view seen;
  seen.generation = slot.generation;
  seen.ancount = ntohs(slot.ancount);
  seen.nscount = ntohs(slot.nscount);
  seen.arcount = ntohs(slot.arcount);
  seen.checksum = slot.checksum;
  seen.zone_pointer = slot.zone_pointer;
  seen.verdict = slot.verdict;
  seen.flags = slot.flags;
  seen.share = slot.share;
  seen.other = slot.other;
  seen.octets =
      std::span<const std::uint8_t>(slot.octets).first(std::min<std::size_t>(slot.length, sizeof slot.octets));
  return seen;
}

}  // namespace

std::string_view type_class_label(std::uint32_t type_class) noexcept {
  constexpr std::array<std::string_view, TYPE_CLASS_COUNT> labels{"A",  "AAAA", "HTTPS", "SOA",
                                                                  "NS", "TXT",  "MX",    "other"};
  return labels[std::min<std::uint32_t>(type_class, TYPE_CLASS_OTHER)];
}

type_class type_class_of(std::uint16_t qtype) noexcept {
  switch (qtype) {
    case 1: return TYPE_CLASS_A;
    case 28: return TYPE_CLASS_AAAA;
    case 65: return TYPE_CLASS_HTTPS;
    case 6: return TYPE_CLASS_SOA;
    case 2: return TYPE_CLASS_NS;
    case 16: return TYPE_CLASS_TXT;
    case 15: return TYPE_CLASS_MX;
    default: return TYPE_CLASS_OTHER;
  }
}

name_key key_of(const object& tables, const dns::name& owner) {
  return to_words(owner.wire(), tables.config().hash_key).key;
}

result<void> for_each_name(const object& tables, const std::function<void(installed_name&&)>& visit) {
  if (auto done = dump<name_short>(tables, map_id::names_short, visit); !done) return done;
  return dump<name_long>(tables, map_id::names_long, visit);
}

result<std::optional<installed_name>> find_name(const object& tables, const dns::name& owner) {
  const name_words name = to_words(owner.wire(), tables.config().hash_key);
  if (owner.wire().size() <= SHORT_QNAME) return find<name_short>(tables, map_id::names_short, name);
  return find<name_long>(tables, map_id::names_long, name);
}

std::array<answer_ref, TYPE_CLASS_COUNT> answers_of(const object& tables, std::uint32_t set) noexcept {
  std::array<answer_ref, TYPE_CLASS_COUNT> row{};
  if (set >= tables.sets()) return row;
  for (std::uint32_t column = 0; column < TYPE_CLASS_COUNT; ++column) {
    row[column] = tables.load_answer(object::answer_index(set, column));
  }
  return row;
}

std::array<answer_ref, STALE_COLUMNS> stale_answers_of(const object& tables, std::uint32_t set) noexcept {
  std::array<answer_ref, STALE_COLUMNS> row{};
  if (set >= tables.sets()) return row;
  for (std::uint32_t column = 0; column < STALE_COLUMNS; ++column) {
    row[column] = tables.load_stale(object::stale_index(set, column));
  }
  return row;
}

answer_ref site_answer_of(const object& tables, std::uint32_t base, std::uint32_t site) noexcept {
  const std::size_t word = std::size_t{base} + site;
  if (site >= tables.sites() || word >= tables.capacity(map_id::site_answers)) return {};
  return tables.load_site_answer(word);
}

std::optional<image_view> image_of(const object& tables, answer_ref ref, std::uint8_t alternative) noexcept {
  if (alternative >= ref.alternatives) return std::nullopt;
  const std::uint32_t index = ref.slot + alternative;
  return (ref.flags & ANSWER_LARGE) != 0 ? view(tables.slots_large(), index) : view(tables.slots_small(), index);
}

}  // namespace nearside::dataplane
