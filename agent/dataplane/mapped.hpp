// SPDX-License-Identifier: BSD-2-Clause
// The memory of one mmapable BPF array, shared with the kernel. Owned by `object`; the elements may be read by the XDP
// program at any time, so whoever writes them minds the order.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <utility>

namespace nearside::dataplane {

class mapped {
 public:
  mapped() = default;
  /// Takes over memory from mmap().
  mapped(void* address, std::size_t octets) noexcept : address_(address), octets_(octets) {}
  mapped(mapped&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), octets_(std::exchange(other.octets_, 0)) {}
  mapped& operator=(mapped&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(octets_, other.octets_);
    return *this;
  }
  mapped(const mapped&) = delete;
  mapped& operator=(const mapped&) = delete;
  ~mapped() {
    if (address_ != nullptr) ::munmap(address_, octets_);
  }

  /// The elements as an array of T, whose size is the map's value size.
  template <typename T>
  [[nodiscard]] std::span<T> as(std::size_t count) const noexcept {
    return {static_cast<T*>(address_), count};
  }

 private:
  void* address_ = nullptr;
  std::size_t octets_ = 0;
};

}  // namespace nearside::dataplane
