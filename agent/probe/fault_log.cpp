// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/fault_log.hpp"

namespace nearside::probe {

namespace {

constexpr std::chrono::minutes pause{1};
constexpr std::size_t most_entries = 256;

}  // namespace

std::optional<std::uint64_t> fault_log::tell(std::size_t check, const std::string& sentence, score::instant now) {
  if (entries_.size() >= most_entries) entries_.clear();
  const auto [found, is_new] = entries_.try_emplace({check, sentence}, entry{now, 0});
  entry& known = found->second;
  if (is_new) return 0;
  if (now - known.told < pause) {
    ++known.untold;
    return std::nullopt;
  }
  known.told = now;
  return std::exchange(known.untold, 0);
}

}  // namespace nearside::probe
