// SPDX-License-Identifier: BSD-2-Clause
// The one setting of a network card that we must know before attaching. Used by `attach`.
#pragma once

#include <string>

#include "agent/base/result.hpp"

namespace nearside::dataplane {

/// Does the interface take VLAN tags off received frames, so that XDP does not see them? A driver without such
/// settings: false.
result<bool> vlan_offload(const std::string& interface);

}  // namespace nearside::dataplane
