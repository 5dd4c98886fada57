// SPDX-License-Identifier: BSD-2-Clause
// The zone that an installed name belongs to, as text.
#pragma once

#include <string>

#include "agent/dataplane/tables.hpp"

namespace nearside::cli {

/// The zone's apex: the last octets of the name. A row that makes no sense has none, "?", and is shown all the same.
inline std::string zone_text(const dataplane::installed_name& row) {
  const auto wire = row.owner.wire();
  if (row.zone_octets == 0 || row.zone_octets > wire.size()) return "?";
  const auto apex = dns::name::from_wire(wire.last(row.zone_octets));
  return apex ? apex->text() : "?";
}

}  // namespace nearside::cli
