// SPDX-License-Identifier: BSD-2-Clause
// Runs the pinned program on one query without a network: BPF_PROG_TEST_RUN. Each run counts in `counters` like any
// packet.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/base/result.hpp"
#include "agent/dataplane/object.hpp"

namespace nearside::cli {

/// How the program left the query.
struct trial {
  std::uint32_t action = 0;                   // XDP_PASS, XDP_TX, ...
  std::uint32_t verdict = VERDICT_UNDECIDED;  // VERDICT_UNDECIDED: live traffic hid which one it was
  std::uint32_t runs = 0;                     // how often the program ran, so: by how much `counters` grew
  std::vector<std::uint8_t> frame;            // as the program left it
};

/// `interface_index`: where the query is to have come in; 0: no interface in particular.
/// Errors: denied; the system call failed.
result<trial> try_query(const dataplane::object& tables, std::span<const std::uint8_t> frame,
                        std::uint32_t interface_index);

}  // namespace nearside::cli
