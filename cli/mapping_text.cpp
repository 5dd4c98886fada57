// SPDX-License-Identifier: BSD-2-Clause
#include "cli/mapping_text.hpp"

#include <boost/json/array.hpp>
#include <ostream>
#include <string>

#include "cli/members.hpp"
#include "cli/output.hpp"

namespace nearside::cli {
namespace {

namespace json = boost::json;

const json::object* object_in(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found == nullptr ? nullptr : found->if_object();
}

const json::array* array_in(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found == nullptr ? nullptr : found->if_array();
}

/// "e1 (proved, 1.9 ms, 3 s ago, alive) e2 (table, alive)".
std::string claims_of(const json::object& row) {
  std::string all;
  const auto* claims = array_in(row, "claims");
  if (claims == nullptr) return all;
  for (const json::value& value : *claims) {
    const auto& claim = value.as_object();
    all += (all.empty() ? "" : ", ") + text_in(claim, "edge") + " (" + text_in(claim, "source");
    if (claim.contains("age_s")) all += ", " + number_in(claim, "rtt_ms", "%.1f") + " ms";
    if (claim.contains("age_s")) all += ", seen " + number_in(claim, "age_s", "%.0f") + " s ago";
    all += ", " + text_in(claim, "state") + ")";
  }
  return all;
}

void print_row(std::ostream& out, const char* label, const json::object* row) {
  out << label;
  if (row == nullptr)
    out << "none covers it\n";
  else
    out << text_in(*row, "prefix") << ", site " << number_in(*row, "site", "%.0f") << ": " << claims_of(*row) << '\n';
}

void print_edge(std::ostream& out, const json::object& edge) {
  out << "  edge    " << text_in(edge, "edge") << ": " << text_in(edge, "state");
  if (edge.contains("lease_s")) out << ", lease " << number_in(edge, "lease_s", "%.0f") << " s";
  if (const auto* addresses = array_in(edge, "addresses")) {
    for (const json::value& value : *addresses) {
      const auto& address = value.as_object();
      out << ", " << text_in(address, "address") << (is_true(address, "answers") ? " answers" : " does not answer");
      if (const auto reason = text_in(address, "reason", ""); !reason.empty()) out << " (" << reason << ")";
    }
  }
  out << '\n';
  const auto* report = object_in(edge, "report");
  if (report == nullptr) {
    out << "          no report\n";
    return;
  }
  out << "          report " << number_in(*report, "age_s", "%.1f") << " s ago"
      << (is_true(*report, "fresh") ? "" : ": too old to be used") << '\n';
  table candidates(
      {{"    SERVER"}, {"FAMILY"}, {"STATE"}, {"ANSWERED"}, {"SRTT ms", true}, {"LOSS %", true}, {"AGE s", true}});
  const auto* figures = array_in(*report, "candidates");
  if (figures == nullptr) return;
  for (const json::value& value : *figures) {
    const auto& figure = value.as_object();
    const auto* loss = figure.if_contains("loss");
    const double part = loss != nullptr && loss->is_number() ? loss->to_number<double>() * 100 : 0;
    candidates.add({"    " + text_in(figure, "server"), text_in(figure, "family"), text_in(figure, "state"),
                    is_true(figure, "answered") ? "yes" : "no", number_in(figure, "rtt_ms", "%.1f"),
                    number_in({{"part", part}}, "part", "%.1f"), number_in(figure, "age_s", "%.1f")});
  }
  if (!candidates.empty()) candidates.print(out);
}

void print_answer(std::ostream& out, const json::object& answer) {
  out << "  answer  " << text_in(answer, "kind");
  if (answer.contains("ns"))
    out << " to " << joined_in(answer, "ns", " ") << ", TTL " << number_in(answer, "ttl", "%.0f") << " s";
  if (answer.contains("by")) out << ", as " << text_in(answer, "by") << " reports";
  for (const char* family : {"ipv4", "ipv6"}) {
    if (const auto* servers = object_in(answer, family))
      out << ", " << family << ": " << joined_in(*servers, "servers", " ") << " (TTL "
          << number_in(*servers, "ttl", "%.0f") << " s)";
  }
  out << "; scope " << number_in(answer, "scope", "%.0f", "0") << '\n'
      << "          because " << text_in(answer, "why") << '\n';
}

}  // namespace

void print_mapping(std::ostream& out, const json::object& told) {
  out << "mapping   " << text_in(told, "name") << ", mode " << text_in(told, "mode") << ", decided by the "
      << text_in(told, "decided_by") << '\n';
  print_row(out, "  row     ", object_in(told, "row"));
  if (const auto* client = object_in(told, "client"))
    print_row(out, is_true(*client, "used") ? "  client  used: " : "  client  not used: ", object_in(*client, "row"));
  if (const auto* edges = array_in(told, "edges"))
    for (const json::value& edge : *edges) print_edge(out, edge.as_object());
  if (const auto* answer = object_in(told, "answer")) print_answer(out, *answer);
}

}  // namespace nearside::cli
