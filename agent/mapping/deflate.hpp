// SPDX-License-Identifier: BSD-2-Clause
// `Content-Encoding: deflate` (RFC 9110 8.4.1.2): the zlib format (RFC 1950), with a bound on what comes out. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/result.hpp"

namespace nearside::mapping {

[[nodiscard]] result<std::string> deflate(std::string_view octets);
/// Errors: not zlib's format, cut off, followed by something (invalid); more than `most` octets come out (exhausted):
/// no more than those are ever written.
[[nodiscard]] result<std::string> inflate(std::string_view octets, std::size_t most);

}  // namespace nearside::mapping
