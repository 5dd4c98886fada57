// SPDX-License-Identifier: BSD-2-Clause
// The words of a problem: texts from the file shown safely, and the near word that was probably meant. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace nearside::config {

/// The text in double quotes, fit for a terminal and a log line: control characters and what is no ASCII as \xNN, cut
/// at 64 octets.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The one of `known` that differs from `word` by the fewest edits (insert, delete, replace, swap of neighbours), where
/// that is at most a third of the longer one's letters, or one; empty: none is near.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

/// "one", "one or two", "one, two or three", each quoted.
[[nodiscard]] std::string alternatives(std::span<const std::string_view> words);

}  // namespace nearside::config
