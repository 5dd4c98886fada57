// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/object.hpp"

#include <bpf/bpf.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "agent/dataplane/environment.hpp"
#include "agent/dataplane/loader.hpp"
#include "agent/dataplane/pins.hpp"

namespace nearside::dataplane {

namespace fs = std::filesystem;

namespace {

struct map_form {
  std::string_view label;
  std::uint32_t value_size;  // 0: no fixed size (the ring buffer)
  bool shared;               // mapped into our memory
};

constexpr std::array<map_form, map_count> forms{{
    {"config", sizeof(struct ::config), true},
    {"listen", sizeof(struct ::listen), true},
    {"names_short", sizeof(name_short), false},
    {"names_long", sizeof(name_long), false},
    {"answers", sizeof(answer_ref), true},
    {"stale_answers", sizeof(answer_ref), true},
    {"slots_small", sizeof(image_small), true},
    {"slots_large", sizeof(image_large), true},
    {"site_answers", sizeof(answer_ref), true},
    {"sites4", sizeof(block4), true},
    {"rows4", sizeof(bucket4), true},
    {"rows6", sizeof(bucket6), true},
    {"mapping4", sizeof(mapping_value), false},
    {"mapping6", sizeof(mapping_value), false},
    {"counters", sizeof(std::uint64_t), false},
    {"events", 0, false},
    {"clock", sizeof(clock_reading), true},
}};

error layout_error(const fs::path& root, const std::string& found) {
  return {errc::invalid, "maps below " + root.string() + ": " + found + ", this program needs layout version " +
                             std::to_string(LAYOUT_VERSION) +
                             "; run `nearside detach` for every interface, the last with --purge, then attach anew"};
}

error incomplete_error(const fs::path& root, const std::string& missing) {
  return {errc::invalid, "maps below " + root.string() + ": " + missing +
                             " is missing; run `nearside detach` for every interface, then attach anew"};
}

// 2 GiB of words, and what `sites4` can tell apart many times over.
constexpr std::uint64_t most_site_words = 1u << 28;
constexpr std::uint32_t most_rows = 1u << 24;

result<mapped> map_memory(int fd, const bpf_map_info& info, std::string_view label) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t octets = (std::size_t{info.max_entries} * info.value_size + page - 1) / page * page;
  void* const address = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return system_error(errno, "map " + std::string(label) + ": mmap");
  return mapped(address, octets);
}

result<std::string> program_tag(int fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return system_error(errno, "reading about the program");
  return std::string(reinterpret_cast<const char*>(info.tag), sizeof info.tag);
}

// Writes what the maps need before anybody may find them.
result<void> initialize(int config_fd, const map_sizes& sizes) {
  struct ::config fresh {};
  if (::getrandom(fresh.hash_key, sizeof fresh.hash_key, 0) != sizeof fresh.hash_key) {
    return system_error(errno, "a random key for the names");
  }
  fresh.layout_version = LAYOUT_VERSION;
  fresh.sites = sizes.sites;
  fresh.buckets4 = buckets4_for(sizes.mapping4);
  fresh.buckets6 = buckets6_for(sizes.mapping6);
  const std::uint32_t first = 0;
  if (bpf_map_update_elem(config_fd, &first, &fresh, BPF_ANY) != 0) return system_error(errno, "map config: update");
  return {};
}

// All maps appear under their final path at once, by renaming their directory: a crash leaves no half of them.
result<void> make_maps(const fs::path& root, const map_sizes& sizes) {
  auto loaded = load_new(sizes);
  if (!loaded) return loaded.error();
  if (auto done = initialize(loaded->maps[static_cast<std::size_t>(map_id::config)], sizes); !done) return done;
  const fs::path aside = root / "maps_new";
  std::error_code failed;
  fs::remove_all(aside, failed);
  fs::create_directory(aside, failed);
  if (failed) return system_error(failed.value(), "making the directory " + aside.string());
  for (std::size_t i = 0; i < map_count; ++i) {
    const fs::path pin = aside / forms[i].label;
    if (bpf_obj_pin(loaded->maps[i], pin.c_str()) != 0) return system_error(errno, "pinning " + pin.string());
  }
  fs::rename(aside, pins::maps(root), failed);
  if (failed) return system_error(failed.value(), "pinning " + pins::maps(root).string());
  if (auto done = pins::put(loaded->program, pins::program(root)); !done) return done;
  return pins::put(loaded->clock_program, pins::clock_program(root));
}

}  // namespace

std::string_view map_label(map_id map) noexcept { return forms[static_cast<std::size_t>(map)].label; }

result<object> object::open_pinned(const fs::path& root) {
  object opened;
  opened.root_ = root;
  for (std::size_t i = 0; i < map_count; ++i) {
    auto fd = pins::get(pins::maps(root) / forms[i].label);
    if (!fd) {
      if (fd.error().kind != errc::not_found) return fd.error();
      return incomplete_error(root, "map " + std::string(forms[i].label));
    }
    bpf_map_info info{};
    std::uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd->get(), &info, &size) != 0) {
      return system_error(errno, "reading about map " + std::string(forms[i].label));
    }
    if (forms[i].value_size != 0 && info.value_size != forms[i].value_size) {
      return layout_error(
          root, "map " + std::string(forms[i].label) + " has values of " + std::to_string(info.value_size) + " octets");
    }
    opened.capacities_[i] = info.max_entries;
    if (forms[i].shared) {
      auto memory = map_memory(fd->get(), info, forms[i].label);
      if (!memory) return memory.error();
      opened.memory_[i] = std::move(*memory);
    }
    opened.maps_[i] = std::move(*fd);
  }
  if (opened.config().layout_version != LAYOUT_VERSION) {
    return layout_error(root, "layout version " + std::to_string(opened.config().layout_version));
  }
  if (opened.sites() == 0 || opened.capacity(map_id::site_answers) < opened.sites() ||
      opened.config().buckets4 != opened.capacity(map_id::rows4) ||
      opened.config().buckets6 != opened.capacity(map_id::rows6)) {
    return layout_error(root, "sizes that do not fit each other");
  }
  return opened;
}

result<void> object::load_program() {
  for (auto [pin, held] : {std::pair{pins::program(root_), &program_}, {pins::clock_program(root_), &clock_program_}}) {
    auto fd = pins::get(pin);
    if (!fd && fd.error().kind != errc::not_found) return fd.error();
    if (!fd) return incomplete_error(root_, "program " + pin.filename().string());
    *held = std::move(*fd);
  }
  return {};
}

result<object> object::open(const fs::path& root) {
  const auto nothing = [&root] {
    return error{errc::not_found, root.string() + ": nothing is pinned here; run `nearside attach IFACE` first"};
  };
  if (auto rights = check_capabilities(); !rights) return rights.error();
  const auto locked = pins::lock(root, pins::sharing::shared);
  if (!locked) return locked.error().kind == errc::not_found ? nothing() : locked.error();
  std::error_code ignored;
  if (!fs::exists(pins::maps(root), ignored)) return nothing();
  auto opened = open_pinned(root);
  if (!opened) return opened;
  if (auto done = opened->load_program(); !done) return done.error();
  return opened;
}

result<object> object::open_or_create(const fs::path& root, const map_sizes& sizes) {
  if (sizes.names == 0 || sizes.long_names == 0 || sizes.sets == 0 || sizes.small_images == 0 ||
      sizes.large_images == 0 || sizes.sites == 0 || sizes.mapped_sets == 0) {
    return error{errc::invalid, "map sizes: each must be at least 1"};
  }
  if (sizes.sets > UINT32_MAX / TYPE_CLASS_COUNT) return error{errc::exhausted, "map sizes: sets must be below 2^29"};
  if (sizes.sites > MAX_SITES || std::uint64_t{sizes.sites} * sizes.mapped_sets > most_site_words) {
    return error{errc::exhausted, "map sizes: sites times mapped_sets must be at most 2^28"};
  }
  if (sizes.mapping4 > most_rows || sizes.mapping6 > most_rows) {
    return error{errc::exhausted, "map sizes: mapping4 and mapping6 must be at most 2^24"};
  }
  if (auto able = check_environment(root); !able) return able.error();
  const auto locked = pins::make_and_lock(root);
  if (!locked) return locked.error();
  // Repair only what nobody uses: behind a link, maps made anew would leave the program with tables that no agent
  // fills.
  std::error_code ignored;
  const bool complete = std::all_of(forms.begin(), forms.end(), [&](const map_form& form) {
    return fs::exists(pins::maps(root) / form.label, ignored);
  });
  const bool make = !complete && !pins::any_link(root);
  if (make) {
    fs::remove_all(pins::maps(root), ignored);
    if (auto made = make_maps(root, sizes); !made) return made.error();
  }
  auto opened = open_pinned(root);
  if (!opened) return opened;
  opened->is_new_ = make;
  if (auto loaded = opened->load_program(); !loaded) {
    if (auto done = opened->refresh_program(); !done) return done.error();
  }
  return opened;
}

result<bool> object::refresh_program() {
  auto loaded = load_over(maps_);
  if (!loaded) return loaded.error();
  const auto ours = program_tag(loaded->program);
  if (!ours) return ours.error();
  if (program_ && clock_program_) {
    const auto pinned = program_tag(program_.get());
    if (!pinned) return pinned.error();
    if (*pinned == *ours) return false;
  }
  if (auto done = pins::put(loaded->program, pins::program(root_)); !done) return done.error();
  if (auto done = pins::put(loaded->clock_program, pins::clock_program(root_)); !done) return done.error();
  if (auto done = load_program(); !done) return done.error();
  return true;
}

answer_ref object::load(map_id map, std::size_t word) const noexcept {
  auto& there = shared<std::uint64_t>(map)[word];
  const std::uint64_t value = std::atomic_ref<std::uint64_t>(there).load(std::memory_order_acquire);
  answer_ref ref{};
  std::memcpy(&ref, &value, sizeof ref);
  return ref;
}

void object::store(map_id map, std::size_t word, answer_ref ref) const noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, &ref, sizeof ref);
  auto& there = shared<std::uint64_t>(map)[word];
  std::atomic_ref<std::uint64_t>(there).store(value, std::memory_order_release);
}

result<clock_reading> object::read_clock() const {
  std::array<std::uint8_t, 64> frame{};
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = frame.data();
  run.data_size_in = frame.size();
  run.repeat = 1;
  if (bpf_prog_test_run_opts(clock_program_.get(), &run) != 0) return system_error(errno, "running nearside_clock");
  return shared<const clock_reading>(map_id::clock)[0];
}

result<void> purge(const fs::path& root) {
  const auto locked = pins::lock(root, pins::sharing::exclusive);
  if (!locked) {
    if (locked.error().kind == errc::not_found) return {};
    return locked.error();
  }
  if (pins::any_link(root)) return error{errc::busy, root.string() + ": an interface is still attached"};
  std::error_code failed;
  fs::remove_all(root, failed);
  if (failed) return system_error(failed.value(), "removing " + root.string());
  return {};
}

}  // namespace nearside::dataplane
