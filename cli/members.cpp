// SPDX-License-Identifier: BSD-2-Clause
#include "cli/members.hpp"

#include <boost/json/array.hpp>
#include <cstdio>

namespace nearside::cli {

std::string text_in(const boost::json::object& from, std::string_view key, std::string_view absent) {
  const auto* found = from.if_contains(key);
  return std::string(found != nullptr && found->is_string() ? std::string_view(found->get_string()) : absent);
}

std::string number_in(const boost::json::object& from, std::string_view key, const char* format,
                      std::string_view absent) {
  const auto* found = from.if_contains(key);
  if (found == nullptr || !found->is_number()) return std::string(absent);
  char shown[64];
  std::snprintf(shown, sizeof shown, format, found->to_number<double>());
  return shown;
}

bool is_true(const boost::json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::string joined_in(const boost::json::object& from, std::string_view key, std::string_view between) {
  std::string all;
  const auto* found = from.if_contains(key);
  if (found == nullptr || !found->is_array()) return all;
  for (const auto& one : found->get_array()) {
    if (!one.is_string()) continue;
    if (!all.empty()) all += between;
    all += std::string_view(one.get_string());
  }
  return all;
}

}  // namespace nearside::cli
