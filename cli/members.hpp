// SPDX-License-Identifier: BSD-2-Clause
// Members of what the agent answers, as a person reads them. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace nearside::cli {

/// The member's text; `absent` where it is not there, null, or no text.
[[nodiscard]] std::string text_in(const boost::json::object& from, std::string_view key, std::string_view absent = "-");
/// The member's number by a format of printf; `absent` where it is not there, null, or no number.
[[nodiscard]] std::string number_in(const boost::json::object& from, std::string_view key, const char* format,
                                    std::string_view absent = "-");
/// Whether the member is there and true.
[[nodiscard]] bool is_true(const boost::json::object& from, std::string_view key);
/// The texts of an array, with `between` between them.
[[nodiscard]] std::string joined_in(const boost::json::object& from, std::string_view key, std::string_view between);

}  // namespace nearside::cli
