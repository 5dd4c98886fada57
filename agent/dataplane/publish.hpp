// SPDX-License-Identifier: BSD-2-Clause
// The publisher brings the kernel's tables to what the zones say, by differences: it holds a mirror of what is there,
// writes new images beside the old ones and switches each answer by one 64-bit store. Owned by the agent's control
// thread; there must be only one publisher for an object.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "agent/base/result.hpp"
#include "agent/dataplane/grouping.hpp"
#include "agent/dataplane/image.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish_stats.hpp"
#include "agent/dns/choice.hpp"
#include "agent/dns/zone.hpp"

namespace nearside::dataplane {

/// Mapped names that are answered by site and alike: those of one zone with one rule.
struct site_group {
  std::uint32_t number = 0;      // for site_change; the same as long as there are such names
  dns::name representative;      // any of them: the answers do not depend on which
  std::uint8_t zone_octets = 0;  // length of the enclosing zone's name
  site_rule rule;
  bool fresh = false;  // nothing was set for its sites yet
};

/// What the clients of a site get for the names of a group; without images the agent answers them.
struct site_change {
  std::uint32_t group = 0;
  std::uint32_t site = 0;
  answer_images wanted;
};

class publisher {
 public:
  using time_source = std::function<std::chrono::steady_clock::time_point()>;
  /// How long a slot rests after its answer was taken away: far longer than the program runs for one packet.
  static constexpr std::chrono::milliseconds quarantine{1000};

  /// Reads what is published, so that an agent started again goes on from there. `tables` must outlive it.
  static result<publisher> adopt(
      const object& tables, time_source now = [] { return std::chrono::steady_clock::now(); });

  publisher(const publisher&) = delete;
  publisher& operator=(const publisher&) = delete;
  publisher(publisher&&) noexcept;
  publisher& operator=(publisher&&) noexcept;
  ~publisher();

  /// Brings the tables to `zones`, whose pools answer as `chosen` says, and past the lease as `stale` does (empty: as
  /// before). At any instant each name answers old, new, or passes to userland; so it does for a pool that nothing is
  /// decided for. Full maps are no error: what finds no room is left to userland and told in the stats. Errors: a
  /// system call failed; the tables are then still consistent, and the next call goes on.
  /// `rules`: how mapped names are answered, by their number; those without a rule are left to the agent.
  result<publish_stats> publish(const dns::zone_set& zones, const dns::choices& chosen, const dns::choices& stale,
                                std::span<const site_rule> rules = {});

  /// The short way for decisions: brings the answers of these pools' names to `chosen`, which is for the zones of the
  /// last publish() that succeeded; before one, and after one that failed, it does nothing. Takes time by the number of
  /// pools and not of names. Where the stats have `again_at`, there was no slot for an answer: the same change, or
  /// publish(), is to be called again then.
  publish_stats change(const dns::choices& chosen, std::span<const std::uint32_t> pools);

  // ---- by site ----
  /// The groups of the last publish(). Until set_sites() the agent answers a fresh one, or what an earlier agent has
  /// left counts.
  [[nodiscard]] std::span<const site_group> site_groups() const noexcept;
  /// Brings these sites' answers to what is wanted, each by one store. A site without a slot, or out of range, is left
  /// to the agent and told in the notes; `again_at` as in change().
  publish_stats set_sites(std::span<const site_change> changes);
  /// From now on the agent answers everything by site: before the numbers of the sites get another meaning
  /// (client_table::begin_loading()).
  publish_stats forget_sites();

 private:
  struct state;
  explicit publisher(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace nearside::dataplane
