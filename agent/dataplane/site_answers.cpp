// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/site_answers.hpp"

#include <algorithm>
#include <utility>

namespace nearside::dataplane {

site_answers::site_answers(const object& tables, image_store& images, time_source now,
                           std::chrono::milliseconds quarantine)
    : tables_(&tables), images_(&images), now_(std::move(now)), quarantine_(quarantine), rows_(tables.mapped_sets()) {}

void site_answers::adopt() {
  for (std::uint32_t number = 0; number < rows_.size(); ++number) {
    const std::uint32_t base = tables_->base_of(number);
    for (std::uint32_t site = 0; site < tables_->sites(); ++site) {
      const answer_ref ref = tables_->load_site_answer(std::size_t{base} + site);
      if (is_empty(ref)) continue;
      rows_[number].used = true;
      if ((ref.flags & ANSWER_BY_SITE) != 0 || !images_->adopt(ref)) {
        tables_->store_site_answer(std::size_t{base} + site, {});
      }
    }
  }
}

std::optional<std::uint32_t> site_answers::take(const std::string& signature, std::optional<std::uint32_t> base) {
  std::optional<std::uint32_t> vacant;
  for (std::uint32_t number = 0; number < rows_.size(); ++number) {
    const row_state& r = rows_[number];
    if (r.used && r.signature == signature) return number;
    if (!vacant && !r.used && r.free_from <= now_()) vacant = number;
  }
  if (base) {
    const std::uint32_t number = *base / tables_->sites();
    if (number < rows_.size() && rows_[number].used && rows_[number].signature.empty()) vacant = number;
  }
  if (vacant) rows_[*vacant] = {true, true, signature, {}};
  return vacant;
}

void site_answers::keep_only(const std::vector<bool>& wanted, publish_stats& stats) {
  for (std::uint32_t number = 0; number < rows_.size(); ++number) {
    if (!rows_[number].used || wanted[number]) continue;
    clear(number, stats);
    rows_[number] = {false, false, {}, now_() + quarantine_};
  }
}

bool site_answers::set(std::uint32_t number, std::uint32_t site, const answer_images& wanted, publish_stats& stats) {
  if (number >= rows_.size() || !rows_[number].used || site >= tables_->sites()) return false;
  rows_[number].fresh = false;
  const answer_ref old = tables_->load_site_answer(std::size_t{tables_->base_of(number)} + site);
  if (images_->says(old, wanted)) return true;
  std::optional<answer_ref> ref;
  if (!wanted.images.empty()) {
    ref = images_->acquire(wanted);
    if (!ref) ++stats.answers_left;
  }
  write(number, site, ref.value_or(answer_ref{}), stats);
  return true;
}

void site_answers::clear(publish_stats& stats) {
  for (std::uint32_t number = 0; number < rows_.size(); ++number) clear(number, stats);
}

std::optional<site_answers::time_point> site_answers::next_free() const noexcept {
  std::optional<time_point> first;
  for (const row_state& r : rows_) {
    if (!r.used && r.free_from > now_()) first = std::min(first.value_or(r.free_from), r.free_from);
  }
  return first;
}

void site_answers::clear(std::uint32_t number, publish_stats& stats) {
  for (std::uint32_t site = 0; site < tables_->sites(); ++site) write(number, site, {}, stats);
  rows_[number].fresh = true;
}

void site_answers::write(std::uint32_t number, std::uint32_t site, const answer_ref& ref, publish_stats& stats) {
  const std::size_t word = std::size_t{tables_->base_of(number)} + site;
  const answer_ref old = tables_->load_site_answer(word);
  if (equal(old, ref)) return;
  tables_->store_site_answer(word, ref);
  ++stats.site_answers_changed;
  images_->release(old);
}

}  // namespace nearside::dataplane
