// SPDX-License-Identifier: BSD-2-Clause
// The program under test, three times over the same tables: in the kernel by BPF_PROG_TEST_RUN, built for this machine,
// and the agent's responder. Each test publishes its own zone below a pin directory of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/dataplane/counters.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dns/choice.hpp"
#include "agent/dns/zone.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"
#include "tests/support/native_dns.h"
#include "tests/support/packet.hpp"

namespace nearside::tests {

/// What became of a frame.
struct outcome {
  std::uint32_t action = 0;                   // XDP_TX, XDP_PASS, XDP_DROP
  std::uint32_t verdict = VERDICT_UNDECIDED;  // the one that was counted; VERDICT_UNDECIDED: none or several
  octets frame;                               // as it was left
};

class program {
 public:
  /// The zone of standard_zone() published, both addresses listened on, the lease far away.
  program() : program(standard_zone(), standard_choices()) {}
  explicit program(dns::zone_set zones, dns::choices chosen = {}, dns::choices stale = {});
  /// Mapped names are answered by these rules; with room for a mapping.
  program(dns::zone_set zones, std::vector<dataplane::site_rule> rules);

  /// lb.example.com with names of every kind that the program answers, and of those that it passes.
  static dns::zone_set standard_zone();
  /// What its pools answer: names for each kind of choice.
  static dns::choices standard_choices();

  outcome in_kernel(const octets& frame) const;
  /// `tail_room`, `head_room`: how far the frame may grow.
  outcome natively(const octets& frame, std::size_t tail_room = 2048, std::size_t head_room = 256);
  /// The agent's replies to the message, one for each alternative.
  std::vector<octets> by_the_agent(const octets& message) const;
  /// Its one reply to the query, where this number was drawn.
  octets by_the_agent(const query& q, std::uint32_t random) const;

  [[nodiscard]] const dataplane::object& tables() const { return *tables_; }
  [[nodiscard]] dataplane::publisher& publisher() { return *publisher_; }
  [[nodiscard]] native_tables& native() { return native_; }
  [[nodiscard]] const dns::choices& chosen() const { return chosen_; }
  dataplane::publish_stats publish(dns::zone_set zones, dns::choices chosen = {}, dns::choices stale = {});
  [[nodiscard]] const dns::zone_set& zones() const { return zones_; }
  /// The publisher of an agent that was started again.
  void restart_publisher() { publisher_ = dataplane::publisher::adopt(*tables_).value(); }
  /// Decides anew for one pool, by the short way.
  dataplane::publish_stats change(std::uint32_t pool, dns::pool_choice decided);

 private:
  void begin(const dataplane::map_sizes& sizes);

  pin_root pins_;
  dns::zone_set zones_;
  dns::choices chosen_;
  std::vector<dataplane::site_rule> rules_;
  std::optional<dataplane::object> tables_;
  std::optional<dataplane::publisher> publisher_;
  native_tables native_{};
  name_short short_row_{};
  name_long long_row_{};
};

}  // namespace nearside::tests
