// SPDX-License-Identifier: BSD-2-Clause
#include "cli/pool_text.hpp"

#include <boost/json/array.hpp>
#include <cstdio>
#include <ostream>
#include <string>

#include "cli/output.hpp"

namespace nearside::cli {
namespace {

namespace json = boost::json;

std::string text(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

double number(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

bool has(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && !found->is_null();
}

std::string fixed(double value, int digits) {
  char shown[64];
  std::snprintf(shown, sizeof shown, "%.*f", digits, value);
  return shown;
}

/// "up, first byte 10.4 ms, penalty 0.0 ms, SRTT 5.2 ms, RTTVAR 0.3 ms, loss 0.0 %, 0.4 s ago".
std::string figures_of(const json::object& c) {
  std::string shown = text(c, "state");
  if (c.contains("failing") && c.at("failing").is_bool() && c.at("failing").get_bool()) shown += " and failing";
  if (c.contains("remembered") && c.at("remembered").is_bool() && c.at("remembered").get_bool())
    shown += " as before the restart";
  if (has(c, "administrative")) shown += ", forced " + text(c.at("administrative").as_object(), "state");
  if (has(c, "first_byte_ms"))
    shown += ", first byte " + fixed(number(c, "first_byte_ms"), 1) + " ms, penalty " +
             fixed(number(c, "penalty_ms"), 1) + " ms";
  if (has(c, "srtt_ms"))
    shown += ", SRTT " + fixed(number(c, "srtt_ms"), 1) + " ms, RTTVAR " + fixed(number(c, "rttvar_ms"), 1) + " ms";
  if (has(c, "age_s"))
    shown += ", loss " + fixed(number(c, "loss") * 100, 1) + " %, " + fixed(number(c, "age_s"), 1) + " s ago";
  if (number(c, "evidence_ms_s") > 0) shown += ", evidence " + fixed(number(c, "evidence_ms_s"), 0) + " ms x s";
  return shown;
}

}  // namespace

void print_pool(std::ostream& out, const json::object& pool) {
  out << "policy    " << text(pool, "policy") << '\n';
  for (const auto& [family, value] : pool.at("families").as_object()) {
    const auto& told = value.as_object();
    out << "  " << std::string_view(family) << "    " << text(told, "outcome") << '\n'
        << "          TTL " << fixed(number(told, "ttl"), 0) << " s (" << text(told, "ttl_reason") << "), "
        << counted(static_cast<std::size_t>(number(told, "prepared_answers")), "prepared answer") << ", drawn "
        << text(told, "drawn") << '\n';
    table candidates({{"    SERVER"}, {"SHARE %", true}, {"RULE"}, {"WHY"}, {"FIGURES"}});
    for (const json::value& one : told.at("candidates").as_array()) {
      const auto& c = one.as_object();
      const std::string rule = text(c, "rule");
      candidates.add({"    " + text(c, "server"), fixed(number(c, "share") * 100, 1), rule.empty() ? "answered" : rule,
                      text(c, "reason"), figures_of(c)});
    }
    if (!candidates.empty()) candidates.print(out);
  }
}

}  // namespace nearside::cli
