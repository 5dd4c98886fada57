// SPDX-License-Identifier: BSD-2-Clause
// Loads the BPF object that this executable carries: with new maps of given sizes, or over maps that are there. Used by
// `object`.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "agent/base/result.hpp"
#include "agent/base/unique_fd.hpp"
#include "agent/dataplane/object.hpp"

struct dns_bpf;

namespace nearside::dataplane {

struct destroy_skeleton {
  void operator()(dns_bpf* s) const noexcept;
};
using skeleton = std::unique_ptr<dns_bpf, destroy_skeleton>;

/// The loaded object; the descriptors belong to the skeleton.
struct loaded_object {
  skeleton owner;
  std::array<int, map_count> maps{};
  int program = -1;
  int clock_program = -1;
};

/// Buckets for so many rows, with room enough that both buckets of a key are hardly ever full: half of the entries stay
/// free in `rows4`, two thirds in `rows6`, whose buckets are smaller.
[[nodiscard]] std::uint32_t buckets4_for(std::uint32_t rows) noexcept;
[[nodiscard]] std::uint32_t buckets6_for(std::uint32_t rows) noexcept;

/// New maps. Error: the kernel refuses the program or a map; the message ends with the verifier's last words.
result<loaded_object> load_new(const map_sizes& sizes);
/// The programs over these maps.
result<loaded_object> load_over(const std::array<unique_fd, map_count>& maps);

}  // namespace nearside::dataplane
