// SPDX-License-Identifier: BSD-2-Clause
// Records of the store and of other nodes: any text is an error with words, or a record that is written and read as the
// same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/mapping/record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::mapping;
  const auto read = parse_record({reinterpret_cast<const char*>(data), size});
  if (!read) {
    if (read.error().message.empty()) std::abort();
    return 0;
  }
  const auto again = parse_record(to_json(*read));
  if (!again || !(*again == *read)) std::abort();
  return 0;
}
