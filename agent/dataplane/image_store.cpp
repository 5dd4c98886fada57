// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/image_store.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace nearside::dataplane {

image_store::image_store(const object& tables, time_source now, std::chrono::milliseconds quarantine)
    : now_(std::move(now)),
      small_(tables.slots_small(), 0, quarantine),
      large_(tables.slots_large(), ANSWER_LARGE, quarantine) {}

std::optional<answer_ref> image_store::acquire(const answer_images& wanted) {
  const std::span<const image> images(wanted.images);
  const bool fits =
      std::all_of(images.begin(), images.end(), [](const image& i) { return i.octets.size() <= SMALL_IMAGE_OCTETS; });
  std::optional<answer_ref> ref;
  if (fits) ref = small_.acquire(images);
  // A short answer may stand in a large slot where the small ones have run out.
  if (!ref) ref = large_.acquire(images);
  if (ref && wanted.by_client) ref->flags |= ANSWER_BY_CLIENT;
  return ref;
}

void image_store::release(const answer_ref& ref) {
  if (is_empty(ref) || (ref.flags & ANSWER_BY_SITE) != 0) return;
  pool_of(ref).release(ref, now_());
}

bool image_store::says(const answer_ref& ref, const answer_images& wanted) const {
  if (is_empty(ref) || wanted.images.empty()) return is_empty(ref) && wanted.images.empty();
  return ((ref.flags & ANSWER_BY_CLIENT) != 0) == wanted.by_client && pool_of(ref).holds(ref, wanted.images);
}

void image_store::settle() {
  small_.settle(now_());
  large_.settle(now_());
}

std::optional<slot_pool::time_point> image_store::next_settling() const noexcept {
  const auto a = small_.next_settling();
  const auto b = large_.next_settling();
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

void image_store::summarize(publish_stats& stats) const {
  stats.small_images = small_.used();
  stats.large_images = large_.used();
}

}  // namespace nearside::dataplane
