// SPDX-License-Identifier: BSD-2-Clause
// Something wrong in the configuration, and where. Made by load() and its readers; a plain value.
#pragma once

#include <cstddef>
#include <string>

namespace nearside::config {

/// What was expected and what was found at a place of a file. Line and column count from 1; 0: not known, or the file as a whole.
struct problem {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string message;

  friend bool operator==(const problem&, const problem&) = default;
};

/// "file:line:column: message", the parts that are not known left out.
[[nodiscard]] std::string to_string(const problem& p);

}  // namespace nearside::config
