// SPDX-License-Identifier: BSD-2-Clause
// The publisher brings the kernel's tables to what the zones say, by differences: it holds a mirror of what is there,
// writes new images beside the old ones and switches each answer by one 64-bit store. Owned by the agent's control
// thread; there must be only one publisher for an object.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

/// What one publish() did.
struct publish_stats {
  std::size_t names = 0;         // installed after it
  std::size_t sets = 0;          // in use after it
  std::size_t small_images = 0;  // slots in use after it, without those in quarantine
  std::size_t large_images = 0;
  std::size_t names_added = 0;
  std::size_t names_rebound = 0;  // bound to another set
  std::size_t names_removed = 0;
  std::size_t answers_changed = 0;  // words written in `answers` of sets in use
  std::size_t images_written = 0;
  std::size_t left_to_userland = 0;  // names that the kernel could answer, were there room for them; see `notes`
  std::size_t answers_left = 0;      // answers of installed names for which there was no slot: passed up
  std::vector<std::string> notes;    // a sentence for each reason why something was left to userland
  /// When slots in quarantine had been in the way: publish again at this time.
  std::optional<std::chrono::steady_clock::time_point> again_at;

  /// Nothing was written.
  [[nodiscard]] bool unchanged() const noexcept {
    return names_added + names_rebound + names_removed + answers_changed + images_written == 0;
  }
};

class publisher {
 public:
  using time_source = std::function<std::chrono::steady_clock::time_point()>;
  /// How long a slot rests after its answer was taken away: far longer than the program runs for one packet.
  static constexpr std::chrono::milliseconds quarantine{1000};

  /// Reads what is published, so that an agent started again goes on from there. `tables` must outlive it.
  static result<publisher> adopt(
      const object& tables, time_source now = [] { return std::chrono::steady_clock::now(); });

  publisher(publisher&&) noexcept;
  publisher& operator=(publisher&&) noexcept;
  ~publisher();

  /// Brings the tables to `zones`. At any instant each name answers old, new, or passes to userland. Full maps are no
  /// error: what finds no room is left to userland and told in the stats. Errors: a system call failed; the tables are
  /// then still consistent, and the next call goes on.
  result<publish_stats> publish(const dns::zone_set& zones);

 private:
  struct state;
  explicit publisher(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace nearside::dataplane
