// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/mappings.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/mapping/prefix.hpp"

namespace nearside::admin {
namespace json = boost::json;
namespace {

using mapping::instant;

constexpr std::size_t longest_text = 255;
constexpr std::int64_t usual_limit = 1'000;
constexpr std::int64_t most_rows = 1'000'000;

double seconds_between(instant from, instant to) { return std::chrono::duration<double>(to - from).count(); }

/// Whole seconds are enough for ages and leases.
json::value age(instant since, instant now) {
  if (since == instant()) return nullptr;
  return std::max(0.0, std::round(seconds_between(since, now)));
}

std::string_view source_text(mapping::source from) { return from == mapping::source::proved ? "proved" : "table"; }

/// Why a claim counts or does not, in a sentence's part.
std::string why_of(const mapping::claim& c, const mapping::edge_state* edge, instant now) {
  if (edge == nullptr) return "not registered";
  switch (edge->state) {
    case mapping::liveness::alive: break;
    case mapping::liveness::checking: return "port 53 not asked yet";
    case mapping::liveness::port_dead: {
      for (const auto& service : edge->services)
        if (!service.reason.empty()) return "port 53: " + service.reason;
      return "port 53 does not answer";
    }
    case mapping::liveness::expired: return "lease ended";
    case mapping::liveness::withdrawn: return "withdrawn";
    case mapping::liveness::unregistered: return "not registered";
  }
  if (c.from == mapping::source::table) return "the operator's prefix table";
  return "its nonce was seen from there " + std::to_string(std::llround(seconds_between(c.proved, now))) + " s ago";
}

json::object claim_json(const mapping::registry& book, const mapping::claim& c, instant now) {
  const mapping::edge_state* edge = book.find(c.edge);
  json::value rtt(nullptr);
  if (c.rtt) rtt = static_cast<double>(c.rtt->count()) / 1000;
  return {
      {"edge", edge == nullptr ? json::value(nullptr) : json::value(edge->record.edge)},
      {"source", source_text(c.from)},
      {"rtt_ms", std::move(rtt)},
      {"seen_s", c.from == mapping::source::proved ? age(c.proved, now) : json::value(nullptr)},
      {"lease_s", edge == nullptr ? json::value(nullptr)
                                  : json::value(std::max(0.0, std::round(seconds_between(now, edge->record.expires))))},
      {"state", edge == nullptr ? "unknown" : mapping::text_of(edge->state)},
      {"why", why_of(c, edge, now)}};
}

json::object row_json(const mapping::registry& book, const mapping::row& row, instant now) {
  json::array claims;
  for (const mapping::claim& c : row.claims) claims.push_back(claim_json(book, c, now));
  return {{"prefix", mapping::text_of(row.who)}, {"site", row.site}, {"claims", std::move(claims)}};
}

/// Nothing where the member is absent.
result<std::string> text_member(const json::object& request, std::string_view key) {
  const auto* found = request.if_contains(key);
  if (found == nullptr) return std::string();
  if (!found->is_string() || found->get_string().size() > longest_text)
    return error{errc::invalid, "\"" + std::string(key) + "\" is no text of at most 255 octets"};
  return std::string(found->get_string());
}

/// With or without the final dot.
bool matches(const std::string& pattern, std::string name) {
  if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
  name.pop_back();
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

result<json::object> mappings_json(const mapping::registry& book, const json::object& request, instant now) {
  const auto text = text_member(request, "prefix");
  if (!text) return text.error();
  std::optional<mapping::prefix> inside;
  if (!text->empty()) {
    const auto parsed = mapping::parse_prefix(*text);
    if (!parsed) return error{errc::invalid, "mappings: " + parsed.error().message};
    inside = *parsed;
  }
  std::int64_t limit = usual_limit;
  if (const auto* said = request.if_contains("limit")) {
    if (!said->is_int64() || said->get_int64() < 1 || said->get_int64() > most_rows)
      return error{errc::invalid, "mappings: \"limit\" is no number from 1 to 1000000"};
    limit = said->get_int64();
  }

  std::vector<const mapping::row*> rows;
  const mapping::row* covering = inside ? book.rows().find(*inside) : nullptr;
  book.rows().for_each([&](const mapping::row& row) {
    if (!inside || &row == covering || mapping::contains(*inside, row.who)) rows.push_back(&row);
  });
  const std::size_t total = rows.size();
  const auto shown = std::min(total, static_cast<std::size_t>(limit));
  const auto by_prefix = [](const mapping::row* a, const mapping::row* b) { return a->who < b->who; };
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown), rows.end(), by_prefix);
  json::array told;
  for (std::size_t i = 0; i < shown; ++i) told.push_back(row_json(book, *rows[i], now));
  return json::object{{"rows", std::move(told)}, {"total", total}};
}

result<json::object> edges_json(const mapping::registry& book, const json::object& request, instant now) {
  const auto pattern = text_member(request, "pattern");
  if (!pattern) return pattern.error();
  std::unordered_map<mapping::edge_id, std::size_t> rows_of;
  book.rows().for_each([&](const mapping::row& row) {
    for (const mapping::claim& c : row.claims) ++rows_of[c.edge];
  });
  std::vector<const mapping::edge_state*> edges;
  book.for_each([&](const mapping::edge_state& edge) {
    if (pattern->empty() || matches(*pattern, edge.record.edge)) edges.push_back(&edge);
  });
  std::sort(edges.begin(), edges.end(), [](const auto* a, const auto* b) { return a->record.edge < b->record.edge; });

  json::array told;
  for (const mapping::edge_state* edge : edges) {
    json::array addresses;
    for (const mapping::service_address& service : edge->services) {
      addresses.push_back(json::object{{"address", service.address.to_string()},
                                       {"answers", service.answers},
                                       {"reason", service.reason},
                                       {"checked_s", service.checked ? age(*service.checked, now) : nullptr}});
    }
    told.push_back(json::object{{"edge", edge->record.edge},
                                {"id", edge->id},
                                {"state", mapping::text_of(edge->state)},
                                {"addresses", std::move(addresses)},
                                {"rows", rows_of[edge->id]},
                                {"egresses", edge->record.egresses.size()},
                                {"sequence", edge->record.sequence},
                                {"registered_s", age(edge->record.registered, now)},
                                {"lease_s", std::max(0.0, std::round(seconds_between(now, edge->record.expires)))},
                                {"report_age_s", edge->reported ? age(edge->reported_at, now) : nullptr},
                                {"accepted_by", edge->record.accepted_by}});
  }
  return json::object{{"edges", std::move(told)}};
}

}  // namespace nearside::admin
