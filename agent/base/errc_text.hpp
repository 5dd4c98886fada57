// SPDX-License-Identifier: BSD-2-Clause
// The kinds of failures by name, as they cross the control socket: the command line ends with the status of the kind.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "agent/base/result.hpp"

namespace nearside {

inline constexpr std::array<std::pair<errc, std::string_view>, 8> errc_names{{{errc::invalid, "invalid"},
                                                                              {errc::not_found, "not_found"},
                                                                              {errc::denied, "denied"},
                                                                              {errc::busy, "busy"},
                                                                              {errc::unsupported, "unsupported"},
                                                                              {errc::exhausted, "exhausted"},
                                                                              {errc::failing, "failing"},
                                                                              {errc::system, "system"}}};

[[nodiscard]] constexpr std::string_view text_of(errc kind) noexcept {
  for (const auto& [known, name] : errc_names)
    if (known == kind) return name;
  return "system";
}

/// system, where there is no kind of that name.
[[nodiscard]] constexpr errc errc_of(std::string_view text) noexcept {
  for (const auto& [known, name] : errc_names)
    if (name == text) return known;
  return errc::system;
}

}  // namespace nearside
