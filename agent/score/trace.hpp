// SPDX-License-Identifier: BSD-2-Clause
// Why a decision is as it is: for each candidate which rule removed or ranked it, and what set the TTL. Filled by
// choose() where somebody asks; plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/score/candidate.hpp"

namespace nearside::score {

/// What became of one candidate.
struct verdict {
  candidate seen;
  std::string server;
  std::string rule;     // the rule that removed it: "down", "max_rtt", "site", ...; empty: it is in the answer's choice
  std::string reason;   // a sentence with the figures
  double share = 0;     // of the answers that it stands first in, 0 to 1
  double evidence = 0;  // policy latency: ms x s that speak for it
};

struct family_trace {
  std::vector<verdict> verdicts;  // in the order of the pool
  std::string outcome;            // a sentence: "latency: fra1 serves", "all down: answer-all"
  std::string ttl_reason;
};

struct trace {
  family_trace families[2];
};

}  // namespace nearside::score
