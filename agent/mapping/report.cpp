// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/report.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>

#include "agent/mapping/json_reader.hpp"
#include "agent/mapping/messages.hpp"

namespace nearside::mapping {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 3> states{"up", "down", "unknown"};
constexpr std::size_t most_server_name = 255;

/// Shortest decimal form, with at most so many places.
void append(std::string& to, double value, double places) {
  std::array<char, 352> text{};  // the longest double in this form has 309 digits and a few more
  const double cut = std::round(value * places) / places;
  to.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), cut, std::chars_format::fixed).ptr);
}

void append(std::string& to, std::string_view text) { to += json::serialize(json::string(text)); }

/// Each element in its turn, with commas.
template <typename Range, typename Write>
void append_array(std::string& to, const Range& range, const Write& write) {
  to += '[';
  bool first = true;
  for (const auto& one : range) {
    if (!first) to += ',';
    first = false;
    write(one);
  }
  to += ']';
}

std::uint8_t family_in(json_reader& from, const json::value* value, const place& at) {
  const auto family = static_cast<std::uint8_t>(from.integer(value, at, 4, 6));
  if (family == 5) from.fail(at, "4 or 6");
  return family;
}

void read_figures(json_reader& from, report& content) {
  const place at("figures");
  const json::array* all = from.array(from.member("figures"), at, 0, content.servers.size() * 2);
  if (all == nullptr) return;
  content.figures.reserve(all->size());
  for (std::size_t i = 0; i < all->size() && from.good(); ++i) {
    const place here(at, i);
    const json::array* row = from.array(&(*all)[i], here, 6, 16);  // later versions may add columns
    if (row == nullptr) return;
    reported_figure figure;
    figure.server = static_cast<std::uint32_t>(from.integer(&(*row)[0], place(here, 0), 0, content.servers.size() - 1));
    figure.family = family_in(from, &(*row)[1], place(here, 1));
    figure.state = from.text(&(*row)[2], place(here, 2), 1, 16);
    if (std::find(states.begin(), states.end(), figure.state) == states.end())
      from.fail(place(here, 2), R"("up", "down" or "unknown")");
    figure.rtt_ms = from.optional_number(&(*row)[3], place(here, 3), 0, most_rtt_ms);
    figure.loss = from.number(&(*row)[4], place(here, 4), 0, 1);
    figure.age_s = from.number(&(*row)[5], place(here, 5), 0, most_age_s);
    content.figures.push_back(std::move(figure));
  }
}

void read_rank(json_reader& from, const json::value* value, const place& at, std::size_t servers,
               reported_answer& answer) {
  const json::array* all = from.array(value, at, 0, most_rank);
  if (all == nullptr) return;
  answer.rank.reserve(all->size());
  for (std::size_t i = 0; i < all->size() && from.good(); ++i) {
    if (servers == 0) {
      from.fail(place(at, i), "the number of a server, of which there are none");
      return;
    }
    const auto server = static_cast<std::uint32_t>(from.integer(&(*all)[i], place(at, i), 0, servers - 1));
    if (std::find(answer.rank.begin(), answer.rank.end(), server) != answer.rank.end())
      from.fail(place(at, i), "each server once");
    answer.rank.push_back(server);
  }
}

/// As many as there are servers in the rank, or none.
void read_shares(json_reader& from, const json::value* value, const place& at, reported_answer& answer) {
  if (value == nullptr) return;
  const json::array* all = from.array(value, at, answer.rank.size(), answer.rank.size());
  if (all == nullptr) return;
  answer.shares.reserve(all->size());
  for (std::size_t i = 0; i < all->size() && from.good(); ++i)
    answer.shares.push_back(static_cast<std::uint32_t>(from.integer(&(*all)[i], place(at, i), 0, whole_share)));
}

void read_answers(json_reader& from, report& content) {
  const place at("answers");
  const json::array* all = from.array(from.member("answers"), at, 0, most_report_names * 2);
  if (all == nullptr) return;
  std::array<std::size_t, 2> names{};  // by family
  content.answers.reserve(all->size());
  for (std::size_t i = 0; i < all->size() && from.good(); ++i) {
    const place here(at, i);
    const json::value* one = from.object(&(*all)[i], here);
    reported_answer answer;
    answer.family = family_in(from, json_reader::member(one, "family"), place(here, "family"));
    const place names_at(here, "names");
    if (const json::array* texts = from.array(json_reader::member(one, "names"), names_at, 1, most_report_names)) {
      names[answer.family == 6 ? 1 : 0] += texts->size();
      if (names[0] > most_report_names || names[1] > most_report_names) from.fail_too_many(names_at, most_report_names);
      answer.names.reserve(texts->size());
      for (std::size_t n = 0; n < texts->size() && from.good(); ++n)
        answer.names.push_back(from.name(&(*texts)[n], place(names_at, n)));
    }
    answer.ttl =
        static_cast<std::uint32_t>(from.integer(json_reader::member(one, "ttl"), place(here, "ttl"), 0, most_ttl));
    read_rank(from, json_reader::member(one, "rank"), place(here, "rank"), content.servers.size(), answer);
    read_shares(from, json_reader::member(one, "shares"), place(here, "shares"), answer);
    content.answers.push_back(std::move(answer));
  }
}

}  // namespace

std::string to_json(const report& r, std::string_view edge, std::uint64_t sequence) {
  std::string text = R"({"edge":)";
  append(text, edge);
  text += R"(,"sequence":)" + std::to_string(sequence) + R"(,"servers":)";
  append_array(text, r.servers, [&](const std::string& server) { append(text, server); });
  text += R"(,"figures":)";
  append_array(text, r.figures, [&](const reported_figure& f) {
    text += '[' + std::to_string(f.server) + ',' + std::to_string(f.family) + ",\"" + f.state + "\",";
    if (f.rtt_ms)
      append(text, *f.rtt_ms, 100);
    else
      text += "null";
    text += ',';
    append(text, f.loss, 1000);
    text += ',';
    append(text, f.age_s, 10);
    text += ']';
  });
  text += R"(,"answers":)";
  append_array(text, r.answers, [&](const reported_answer& a) {
    text += R"({"names":)";
    append_array(text, a.names, [&](const std::string& name) { append(text, name); });
    text += R"(,"family":)" + std::to_string(a.family) + R"(,"ttl":)" + std::to_string(a.ttl) + R"(,"rank":)";
    append_array(text, a.rank, [&](std::uint32_t server) { text += std::to_string(server); });
    if (!a.shares.empty()) {
      text += R"(,"shares":)";
      append_array(text, a.shares, [&](std::uint32_t share) { text += std::to_string(share); });
    }
    text += '}';
  });
  return text + '}';
}

result<report_message> parse_report(std::string_view body) {
  json_reader from(body, most_inflated);
  report_message message;
  message.edge = from.name(from.member("edge"), place("edge"));
  message.sequence = from.integer(from.member("sequence"), place("sequence"), 1, most_integer);
  const place at("servers");
  if (const json::array* all = from.array(from.member("servers"), at, 0, most_report_servers)) {
    message.content.servers.reserve(all->size());
    for (std::size_t i = 0; i < all->size() && from.good(); ++i)
      message.content.servers.emplace_back(from.text(&(*all)[i], place(at, i), 1, most_server_name));
  }
  if (from.good()) read_figures(from, message.content);
  if (from.good()) read_answers(from, message.content);
  if (!from.good()) return from.wrong();
  return message;
}

}  // namespace nearside::mapping
