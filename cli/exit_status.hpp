// SPDX-License-Identifier: BSD-2-Clause
// The exit statuses of `nearside`: a script may tell one kind of failure from another. docs/cli.md lists them.
#pragma once

#include "agent/base/result.hpp"

namespace nearside::cli {

inline constexpr int exit_ok = 0;

/// The exit status for a kind of failure; never 0. The numbers never change.
constexpr int exit_status(errc kind) noexcept {
  switch (kind) {
    case errc::system: return 1;
    case errc::invalid: return 2;
    case errc::not_found: return 3;
    case errc::denied: return 4;
    case errc::busy: return 5;
    case errc::unsupported: return 6;
    case errc::exhausted: return 7;
    case errc::failing: return 8;
  }
  return 1;
}

}  // namespace nearside::cli
