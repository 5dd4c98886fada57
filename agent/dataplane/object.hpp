// SPDX-License-Identifier: BSD-2-Clause
// The kernel side as one thing: the XDP program and its maps, pinned below a directory of the BPF file system. The
// agent and the command line both open it; whoever comes first makes it. Not synchronized: one thread uses an `object`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"
#include "agent/dataplane/mapped.hpp"
#include "bpf/map_types.h"

namespace nearside::dataplane {

/// How many elements the maps get when they are made; a later agent takes the sizes that are there.
struct map_sizes {
  std::uint32_t names = 65536;         // names of up to SHORT_QNAME octets
  std::uint32_t long_names = 4096;     // longer ones
  std::uint32_t sets = 16384;          // answer sets: names with the same servers share one
  std::uint32_t small_images = 65536;  // prepared answers of up to SMALL_IMAGE_OCTETS
  std::uint32_t large_images = 4096;   // of up to LARGE_IMAGE_OCTETS
  // For answers by site, which an edge node has none of.
  std::uint32_t mapping4 = 0;     // rows of IPv4 clients; 0: no tables for them
  std::uint32_t mapping6 = 0;     // rows of IPv6 clients
  std::uint32_t sites = 1;        // sites that have words in each row of `site_answers`
  std::uint32_t mapped_sets = 1;  // rows of `site_answers`
};

/// The pinned maps; `map_label` gives the name in the object and below `<root>/maps/`.
enum class map_id {
  config,
  listen,
  names_short,
  names_long,
  answers,
  stale_answers,
  slots_small,
  slots_large,
  site_answers,
  sites4,
  rows4,
  rows6,
  mapping4,
  mapping6,
  counters,
  events,
  clock,
};
inline constexpr std::size_t map_count = 17;
[[nodiscard]] std::string_view map_label(map_id map) noexcept;

class object {
 public:
  /// Opens what is pinned below `root`. Errors: not_found, nothing is pinned there; denied; invalid, another layout
  /// version or an incomplete set of maps.
  static result<object> open(const std::filesystem::path& root = PIN_DIRECTORY);
  /// The same; what is missing is made: the maps with `sizes` and a fresh hash key, and the program. Two processes
  /// may do this at the same time. Errors besides: unsupported, no BPF file system or a kernel before 5.10.
  static result<object> open_or_create(const std::filesystem::path& root = PIN_DIRECTORY, const map_sizes& sizes = {});

  /// Loads the program that this executable carries over the pinned maps. Where it differs from the pinned one, it
  /// takes its place, and true is returned; links still run the old one until `attach` updates them.
  result<bool> refresh_program();

  [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }
  [[nodiscard]] int fd(map_id map) const noexcept { return maps_[index(map)].get(); }
  /// Elements of the map, as it was made.
  [[nodiscard]] std::uint32_t capacity(map_id map) const noexcept { return capacities_[index(map)]; }
  /// How many sites have words in each row of `site_answers`.
  [[nodiscard]] std::uint32_t sites() const noexcept { return config().sites; }
  /// How many sets fit in `answers`.
  [[nodiscard]] std::uint32_t sets() const noexcept { return capacity(map_id::answers) / TYPE_CLASS_COUNT; }
  /// How many rows `site_answers` has.
  [[nodiscard]] std::uint32_t mapped_sets() const noexcept { return capacity(map_id::site_answers) / sites(); }
  [[nodiscard]] int program() const noexcept { return program_.get(); }
  /// Made by this open_or_create(): nobody has put anything into the maps.
  [[nodiscard]] bool is_new() const noexcept { return is_new_; }

  // Memory shared with the program.
  [[nodiscard]] struct ::config& config() const noexcept { return shared<struct ::config>(map_id::config)[0]; }
  [[nodiscard]] std::span<struct ::listen> listen() const noexcept { return shared<struct ::listen>(map_id::listen); }
  [[nodiscard]] std::span<image_small> slots_small() const noexcept { return shared<image_small>(map_id::slots_small); }
  [[nodiscard]] std::span<image_large> slots_large() const noexcept { return shared<image_large>(map_id::slots_large); }

  [[nodiscard]] std::span<block4> blocks4() const noexcept { return shared<block4>(map_id::sites4); }
  /// The words of `sites4` in a row, by the first 24 bits of the address.
  [[nodiscard]] std::span<std::uint32_t> sites4() const noexcept {
    return memory_[index(map_id::sites4)].as<std::uint32_t>(std::size_t{capacity(map_id::sites4)} * BLOCK4_SITES);
  }
  [[nodiscard]] std::span<bucket4> rows4() const noexcept { return shared<bucket4>(map_id::rows4); }
  [[nodiscard]] std::span<bucket6> rows6() const noexcept { return shared<bucket6>(map_id::rows6); }

  /// Index into `answers`.
  [[nodiscard]] static std::size_t answer_index(std::uint32_t set, std::uint32_t type_class) noexcept {
    return std::size_t{set} * TYPE_CLASS_COUNT + type_class;
  }
  [[nodiscard]] answer_ref load_answer(std::size_t answer) const noexcept { return load(map_id::answers, answer); }
  /// One aligned 64-bit store with release order: what was written to the slots before is seen by who reads the word.
  void store_answer(std::size_t answer, answer_ref ref) const noexcept { store(map_id::answers, answer, ref); }

  /// Index into `stale_answers`; `type_class` is below STALE_COLUMNS.
  [[nodiscard]] static std::size_t stale_index(std::uint32_t set, std::uint32_t type_class) noexcept {
    return std::size_t{set} * STALE_COLUMNS + type_class;
  }
  [[nodiscard]] answer_ref load_stale(std::size_t answer) const noexcept { return load(map_id::stale_answers, answer); }
  void store_stale(std::size_t answer, answer_ref ref) const noexcept { store(map_id::stale_answers, answer, ref); }

  /// Where a row of `site_answers` begins: what `slot` of a word with ANSWER_BY_SITE says.
  [[nodiscard]] std::uint32_t base_of(std::uint32_t mapped_set) const noexcept { return mapped_set * sites(); }
  [[nodiscard]] answer_ref load_site_answer(std::size_t word) const noexcept {
    return load(map_id::site_answers, word);
  }
  void store_site_answer(std::size_t word, answer_ref ref) const noexcept { store(map_id::site_answers, word, ref); }

  /// Runs `nearside_clock` once. Error: the kernel refuses to run it.
  [[nodiscard]] result<clock_reading> read_clock() const;

 private:
  object() = default;

  static constexpr std::size_t index(map_id map) noexcept { return static_cast<std::size_t>(map); }
  template <typename T>
  [[nodiscard]] std::span<T> shared(map_id map) const noexcept {
    return memory_[index(map)].as<T>(capacity(map));
  }
  [[nodiscard]] answer_ref load(map_id map, std::size_t word) const noexcept;
  void store(map_id map, std::size_t word, answer_ref ref) const noexcept;
  static result<object> open_pinned(const std::filesystem::path& root);
  result<void> load_program();

  std::filesystem::path root_;
  std::array<unique_fd, map_count> maps_;
  std::array<std::uint32_t, map_count> capacities_{};
  std::array<mapped, map_count> memory_;
  unique_fd program_;
  unique_fd clock_program_;
  bool is_new_ = false;
};

/// Removes the pins of maps and program below `root`; they live on while a link or an agent holds them.
/// Error: busy, an interface is still attached.
result<void> purge(const std::filesystem::path& root = PIN_DIRECTORY);

}  // namespace nearside::dataplane
