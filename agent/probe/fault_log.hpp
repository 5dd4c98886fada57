// SPDX-License-Identifier: BSD-2-Clause
// Which faults of this machine are worth a line in the log now: each when it first comes, then once a minute with the
// number of those between. Time comes in. Owned by the prober.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "agent/score/sample.hpp"

namespace nearside::probe {

class fault_log {
 public:
  /// How many equal ones were not told since the last that was; nothing: this one is not told either.
  [[nodiscard]] std::optional<std::uint64_t> tell(std::size_t check, const std::string& sentence, score::instant now);

 private:
  struct entry {
    score::instant told;
    std::uint64_t untold = 0;
  };
  std::map<std::pair<std::size_t, std::string>, entry> entries_;
};

}  // namespace nearside::probe
