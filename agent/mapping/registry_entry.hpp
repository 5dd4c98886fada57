// SPDX-License-Identifier: BSD-2-Clause
// What the registry keeps of an edge beside what it shows. Of the registry's sources alone.
#pragma once

#include <string>

#include "agent/mapping/registry.hpp"
#include "agent/mapping/sightings.hpp"

namespace nearside::mapping {

struct registry::entry {
  std::string name;  // stays where it is: numbers_ refers to it
  edge_state shown;
  sightings seen;
  std::optional<secret_key> key;  // made when it is first wanted
  std::size_t report_size = 0;    // octets in memory
  instant proofs_told;            // when the record was last told with its proofs
  bool permanent = false;         // the operator's table names it
  bool record_noted = false;
  bool liveness_noted = false;
  bool report_noted = false;

  [[nodiscard]] bool has_record() const noexcept { return shown.record.sequence != 0; }
  [[nodiscard]] bool leased(instant now) const noexcept {
    return has_record() && !shown.record.withdrawn && now < shown.record.expires;
  }
};

}  // namespace nearside::mapping
