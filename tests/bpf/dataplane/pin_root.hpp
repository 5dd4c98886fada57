// SPDX-License-Identifier: BSD-2-Clause
// A pin directory of the test's own below /sys/fs/bpf, gone with the test, and a network namespace of its own where
// needed.
#pragma once

#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "agent/dataplane/attach.hpp"
#include "agent/dataplane/environment.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::tests {

/// Must be the first line of each test: prints a skip and returns where the kernel side cannot be used.
#define REQUIRE_KERNEL_SIDE()                                           \
  if (auto able = dataplane::check_environment("/sys/fs/bpf"); !able) { \
    WARN("SKIPPED: " << able.error().message);                          \
    return;                                                             \
  }

class pin_root {
 public:
  pin_root() : path_("/sys/fs/bpf/nearside_test_" + std::to_string(::getpid()) + "_" + std::to_string(next_++)) {}
  pin_root(const pin_root&) = delete;
  pin_root& operator=(const pin_root&) = delete;
  ~pin_root() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  inline static std::atomic<int> next_ = 0;
  std::filesystem::path path_;
};

/// Sizes that make tests quick and limits easy to reach.
inline dataplane::map_sizes small_sizes() {
  return {.names = 64, .long_names = 8, .sets = 16, .small_images = 64, .large_images = 8};
}

/// Moves the test's process into a network namespace with a pair of veth devices, `nsd0` and `nsd1`, both up and
/// without VLAN offload. The kernel takes it away with the process.
inline bool enter_network_with_veth() {
  static const bool done = [] {
    if (::unshare(CLONE_NEWNET) != 0) return false;
    return std::system(
               "ip link set lo up && ip link add nsd0 type veth peer name nsd1 &&"
               " ip addr add 192.0.2.53/24 dev nsd0 && ip link set nsd0 up && ip link set nsd1 up &&"
               " ethtool -K nsd0 rxvlan off >/dev/null") == 0;
  }();
  return done;
}

}  // namespace nearside::tests
