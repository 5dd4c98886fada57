// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/events.hpp"

#include <bpf/libbpf.h>

#include <cstring>

namespace nearside::dataplane {

namespace {

int on_record(void* context, void* data, std::size_t size) {
  if (size < sizeof(query_event)) return 0;
  query_event event{};
  std::memcpy(&event, data, sizeof event);
  (*static_cast<event_reader::callback*>(context))(event);
  return 0;
}

}  // namespace

void event_reader::destroy::operator()(ring_buffer* r) const noexcept { ring_buffer__free(r); }

result<event_reader> event_reader::open(const object& tables, callback on_event) {
  event_reader reader;
  reader.on_event_ = std::make_unique<callback>(std::move(on_event));
  reader.ring_.reset(ring_buffer__new(tables.fd(map_id::events), on_record, reader.on_event_.get(), nullptr));
  if (!reader.ring_) return system_error(errno, "map events: opening the ring buffer");
  return reader;
}

int event_reader::fd() const noexcept { return ring_buffer__epoll_fd(ring_.get()); }

result<std::size_t> event_reader::consume() {
  const int events = ring_buffer__consume(ring_.get());
  if (events < 0) return system_error(events, "map events: read");
  return static_cast<std::size_t>(events);
}

}  // namespace nearside::dataplane
