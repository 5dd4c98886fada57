// SPDX-License-Identifier: BSD-2-Clause
// The sampled queries, from the ring buffer `events`. One reader at a time; the callback runs in the caller's thread.
#pragma once

#include <functional>
#include <memory>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"

struct ring_buffer;

namespace nearside::dataplane {

class event_reader {
 public:
  using callback = std::function<void(const query_event&)>;

  /// Opens the ring buffer. Errors: denied; the system call failed.
  static result<event_reader> open(const object& tables, callback on_event);

  /// Becomes readable when there are events; owned by the reader (dup it for Asio).
  [[nodiscard]] int fd() const noexcept;
  /// Calls back for each waiting event without blocking; their number.
  result<std::size_t> consume();

 private:
  struct destroy {
    void operator()(ring_buffer* r) const noexcept;
  };
  event_reader() = default;
  // The address is given to libbpf, so it must not move with the reader.
  std::unique_ptr<callback> on_event_;
  std::unique_ptr<ring_buffer, destroy> ring_;
};

}  // namespace nearside::dataplane
