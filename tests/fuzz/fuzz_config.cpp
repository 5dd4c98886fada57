// SPDX-License-Identifier: BSD-2-Clause
// Any text as a configuration file: problems that can be printed, or zones that are whole. Seeds:
// tests/fuzz/seeds/config.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/config/load.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // No such folder: a master file with a relative path is never found.
  const auto result = load_text(text, "/nonexistent/edge.toml");
  if (const auto* problems = std::get_if<std::vector<problem>>(&result)) {
    if (problems->empty()) std::abort();
    for (const problem& p : *problems) {
      if (p.message.empty() || to_string(p).find(p.message) == std::string::npos) std::abort();
    }
    return 0;
  }
  const loaded& good = std::get<loaded>(result);
  if (good.options.edge.listen.empty() || good.options.edge.port == 0) std::abort();
  for (const auto& zone : good.zones->zones()) {
    if (!zone.check()) std::abort();
  }
  return 0;
}
