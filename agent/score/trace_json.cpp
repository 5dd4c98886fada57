// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/trace_json.hpp"

#include <boost/json/array.hpp>

#include "agent/score/figure_json.hpp"

namespace nearside::score {
namespace json = boost::json;
namespace {

json::value order_json(const candidate& c) {
  if (c.forced == administrative::none) return nullptr;
  return json::object{{"state", text_of(c.forced)}, {"ends_in_s", seconds(c.forced_left)}};
}

json::object to_json(const verdict& v) {
  const candidate& c = v.seen;
  return {{"server", v.server},
          {"answered", v.rule.empty()},
          {"rule", v.rule},
          {"reason", v.reason},
          {"share", rounded(v.share)},
          {"state", c.checked ? json::value(text_of(c.measured)) : json::value("not checked")},
          {"failing", c.failing},
          {"remembered", c.remembered},
          {"missing_successes", c.missing},
          {"administrative", order_json(c)},
          {"expected_ms", rounded(c.expected)},
          {"first_byte_ms", rounded(c.smoothed)},
          {"penalty_ms", rounded(c.penalty)},
          {"srtt_ms", milliseconds(c.rtt)},
          {"rttvar_ms", c.rtt ? rounded(milliseconds_of(c.rtt_variation)) : json::value(nullptr)},
          {"loss", rounded(c.loss)},
          {"age_s", seconds(c.age)},
          {"evidence_ms_s", rounded(v.evidence)}};
}

}  // namespace

json::object to_json(const family_trace& told, const dns::choice& made) {
  json::array candidates;
  for (const verdict& v : told.verdicts) candidates.push_back(to_json(v));
  return {{"outcome", told.outcome},
          {"ttl", made.ttl},
          {"ttl_reason", told.ttl_reason},
          {"prepared_answers", made.alternatives.size()},
          {"drawn", made.by_client ? "by the client's prefix" : "at random"},
          {"candidates", std::move(candidates)}};
}

json::object to_json(const pool& of, const trace& told, const dns::pool_choice& made) {
  json::object families;
  for (std::size_t f = 0; f < 2; ++f)
    if (!of.families[f].addresses.empty())
      families[f == 0 ? "ipv4" : "ipv6"] = to_json(told.families[f], made.families[f]);
  return {{"policy", text_of(of.rules.how)}, {"families", std::move(families)}};
}

}  // namespace nearside::score
