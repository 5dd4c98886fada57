// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/loader.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>

#include "dns.skel.h"

namespace nearside::dataplane {

namespace {

// libbpf tells the reason of a failure only through this callback, which carries no context.
thread_local std::string* captured = nullptr;

int capture(libbpf_print_level level, const char* format, va_list arguments) {
  if (captured == nullptr || level != LIBBPF_WARN) return 0;
  std::array<char, 4096> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  if (length > 0) captured->append(line.data());
  return length;
}

class capture_messages {
 public:
  capture_messages() : before_(libbpf_set_print(capture)) { captured = &text_; }
  capture_messages(const capture_messages&) = delete;
  capture_messages& operator=(const capture_messages&) = delete;
  ~capture_messages() {
    captured = nullptr;
    libbpf_set_print(before_);
  }
  /// The end of what libbpf said, as one line.
  [[nodiscard]] std::string tail() const {
    constexpr std::size_t enough = 600;
    std::string end = text_.size() > enough ? text_.substr(text_.size() - enough) : text_;
    while (!end.empty() && end.back() == '\n') end.pop_back();
    for (char& c : end) {
      if (c == '\n') c = '|';
    }
    return end.empty() ? end : " (" + end + ")";
  }

 private:
  libbpf_print_fn_t before_;
  std::string text_;
};

bpf_map* find_map(const skeleton& s, map_id map) {
  return bpf_object__find_map_by_name(s->obj, std::string(map_label(map)).c_str());
}

// Opens the skeleton and lets `prepare` set up each map, then loads and collects the descriptors.
template <typename Prepare>
result<loaded_object> load(Prepare prepare) {
  const capture_messages messages;
  loaded_object loaded;
  loaded.owner.reset(dns_bpf__open());
  if (!loaded.owner) return system_error(errno, "opening the BPF object" + messages.tail());
  for (std::size_t i = 0; i < map_count; ++i) {
    const auto id = static_cast<map_id>(i);
    bpf_map* const map = find_map(loaded.owner, id);
    if (map == nullptr) return error{errc::invalid, "the BPF object has no map " + std::string(map_label(id))};
    if (const int refused = prepare(id, map); refused != 0) {
      return system_error(refused, "map " + std::string(map_label(id)));
    }
  }
  if (const int refused = dns_bpf__load(loaded.owner.get()); refused != 0) {
    return system_error(refused, "loading the XDP program" + messages.tail());
  }
  for (std::size_t i = 0; i < map_count; ++i) {
    loaded.maps[i] = bpf_map__fd(find_map(loaded.owner, static_cast<map_id>(i)));
  }
  loaded.program = bpf_program__fd(loaded.owner->progs.nearside_dns);
  loaded.clock_program = bpf_program__fd(loaded.owner->progs.nearside_clock);
  return loaded;
}

// 0: the size stays as written in bpf/maps.h.
std::uint32_t elements_of(map_id map, const map_sizes& sizes) {
  switch (map) {
    case map_id::names_short: return sizes.names;
    case map_id::names_long: return sizes.long_names;
    case map_id::answers: return sizes.sets * TYPE_CLASS_COUNT;
    case map_id::stale_answers: return sizes.sets * STALE_COLUMNS;
    case map_id::slots_small: return sizes.small_images;
    case map_id::slots_large: return sizes.large_images;
    case map_id::site_answers: return sizes.sites * sizes.mapped_sets;
    case map_id::sites4: return sizes.mapping4 == 0 ? 1 : SITES4_COUNT / BLOCK4_SITES;
    case map_id::rows4: return buckets4_for(sizes.mapping4);
    case map_id::rows6: return buckets6_for(sizes.mapping6);
    case map_id::mapping4: return std::max(sizes.mapping4, 1u);
    case map_id::mapping6: return std::max(sizes.mapping6, 1u);
    default: return 0;
  }
}

}  // namespace

std::uint32_t buckets4_for(std::uint32_t rows) noexcept {
  constexpr std::uint32_t wanted = BUCKET4_ROWS / 2;
  return std::max(1u, (rows + wanted - 1) / wanted);
}

std::uint32_t buckets6_for(std::uint32_t rows) noexcept {
  static_assert(BUCKET6_ROWS == 4);
  return std::max(1u, rows - rows / 4);
}

void destroy_skeleton::operator()(dns_bpf* s) const noexcept { dns_bpf__destroy(s); }

result<loaded_object> load_new(const map_sizes& sizes) {
  return load([&sizes](map_id id, bpf_map* map) {
    const std::uint32_t elements = elements_of(id, sizes);
    return elements == 0 ? 0 : bpf_map__set_max_entries(map, elements);
  });
}

result<loaded_object> load_over(const std::array<unique_fd, map_count>& maps) {
  return load(
      [&maps](map_id id, bpf_map* map) { return bpf_map__reuse_fd(map, maps[static_cast<std::size_t>(id)].get()); });
}

}  // namespace nearside::dataplane
