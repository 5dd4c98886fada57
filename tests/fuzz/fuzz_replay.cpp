// SPDX-License-Identifier: BSD-2-Clause
// Recordings, which may come from anywhere: any lines give an error or a replay, and what comes out is JSON.
#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/score/replay.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside;
  score::replay_settings settings;
  settings.why = size % 2 == 1;
  score::replay through(std::move(settings), [](const std::string& line) {
    boost::system::error_code wrong;
    boost::json::parse(line, wrong);
    if (wrong) std::abort();
  });
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto more = through.feed(text.substr(0, end));
    if (!more && more.error().message.empty()) std::abort();
    if (!more || !*more || end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return 0;
}
