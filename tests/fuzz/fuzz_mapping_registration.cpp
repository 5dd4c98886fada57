// SPDX-License-Identifier: BSD-2-Clause
// What edges send and are answered: any text is an error with words, or a message that is written and read as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/mapping/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::mapping;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto same = [](const auto& read, const auto& write, const auto& again) {
    if (!read) {
      if (read.error().message.empty()) std::abort();
      return;
    }
    const auto second = again(write(*read));
    if (!second || !(*second == *read)) std::abort();
  };
  for (const bool content : {true, false})
    same(
        parse_registration(text, content), [&](const auto& m) { return to_json(m, content); },
        [&](const auto& t) { return parse_registration(t, content); });
  same(
      parse_withdrawal(text), [](const auto& m) { return to_json(m); },
      [](const auto& t) { return parse_withdrawal(t); });
  same(
      parse_registered(text), [](const auto& m) { return to_json(m); },
      [](const auto& t) { return parse_registered(t); });
  same(
      parse_refused(text), [](const auto& m) { return to_json(m); }, [](const auto& t) { return parse_refused(t); });
  return 0;
}
