// SPDX-License-Identifier: BSD-2-Clause
// Reports, as text and as what is inflated to one: an error with words, or a report that is read as it is written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/mapping/deflate.hpp"
#include "agent/mapping/messages.hpp"

namespace {

void try_text(std::string_view text) {
  using namespace nearside::mapping;
  const auto read = parse_report(text);
  if (!read) {
    if (read.error().message.empty()) std::abort();
    return;
  }
  // Figures are cut to what is measured; from then on nothing changes.
  const std::string written = to_json(read->content, read->edge, read->sequence);
  const auto again = parse_report(written);
  if (!again || to_json(again->content, again->edge, again->sequence) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nearside::mapping;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  try_text(octets);
  if (const auto text = inflate(octets, 65'536)) {
    if (text->size() > 65'536) std::abort();
    try_text(*text);
  }
  return 0;
}
