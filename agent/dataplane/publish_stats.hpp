// SPDX-License-Identifier: BSD-2-Clause
// What one publish() did, and what it had to leave to userland and why. Plain data: filled by the publisher and its
// parts, read by the agent's log and by status.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace nearside::dataplane {

struct publish_stats {
  std::size_t names = 0;         // installed after it
  std::size_t sets = 0;          // in use after it
  std::size_t small_images = 0;  // slots in use after it, without those in quarantine
  std::size_t large_images = 0;
  std::size_t names_added = 0;
  std::size_t names_rebound = 0;  // bound to another set
  std::size_t names_removed = 0;
  std::size_t answers_changed = 0;       // words written in `answers` of sets in use
  std::size_t site_answers_changed = 0;  // words written in `site_answers`
  std::size_t images_written = 0;
  std::size_t left_to_userland = 0;  // names that the kernel could answer, were there room for them; see `notes`
  std::size_t answers_left = 0;      // answers of installed names for which there was no slot: passed up
  std::vector<std::string> notes;    // a sentence for each reason why something was left to userland
  /// When slots in quarantine had been in the way: publish again at this time.
  std::optional<std::chrono::steady_clock::time_point> again_at;

  /// Nothing was written.
  [[nodiscard]] bool unchanged() const noexcept {
    return names_added + names_rebound + names_removed + answers_changed + site_answers_changed + images_written == 0;
  }
};

/// "1 name", "2 names".
[[nodiscard]] inline std::string plural(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace nearside::dataplane
