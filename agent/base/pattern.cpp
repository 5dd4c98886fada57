// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/pattern.hpp"

#include <re2/re2.h>

namespace nearside {

namespace {

// Of a compiled expression: enough for hand-written ones, too little for {1000}{1000}.
constexpr std::int64_t memory = 1 << 20;
// Instructions of the compiled expression. The worst text costs that many steps for each of its octets.
constexpr int most_instructions = 300;

}  // namespace

pattern::pattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
pattern::pattern(pattern&&) noexcept = default;
pattern& pattern::operator=(pattern&&) noexcept = default;
pattern::~pattern() = default;

result<pattern> pattern::compile(const std::string& expression) {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(memory);
  auto compiled = std::make_unique<re2::RE2>(expression, options);
  if (!compiled->ok()) return error{errc::invalid, compiled->error()};
  if (compiled->ProgramSize() > most_instructions)
    return error{errc::invalid, "it is too large: a simpler one, of fewer repetitions and alternatives"};
  return pattern(std::move(compiled));
}

bool pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace nearside
