// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/check_http.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "agent/base/pattern.hpp"
#include "agent/config/wording.hpp"

namespace nearside::config {
namespace {

constexpr std::size_t longest_method = 16;
constexpr std::size_t longest_path = 2048;
constexpr std::size_t longest_host = 255;
constexpr std::size_t longest_body = 4096;
constexpr std::size_t longest_regex = 1024;
constexpr std::size_t most_ranges = 64;
constexpr std::size_t most_body_octets = 1u << 20;
constexpr std::uint16_t least_status = 100;
constexpr std::uint16_t most_status = 599;

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string limited(std::string_view what, std::size_t most) {
  return "expected " + std::string(what) + " of at most " + std::to_string(most) + " octets, found ";
}

void read_request(table_reader& table, check& c) {
  if (const auto method = table.text("method")) {
    const bool valid =
        !method->value.empty() && method->value.size() <= longest_method &&
        std::all_of(method->value.begin(), method->value.end(), [](char l) { return l >= 'A' && l <= 'Z'; });
    // CONNECT asks for a tunnel, and its request line has no path.
    if (!valid || method->value == "CONNECT")
      table.complain("method", method->at,
                     R"(expected a method such as "GET" or "HEAD", found )" + in_quotes(method->value));
    c.method = method->value;
  }
  if (const auto path = table.text("path")) {
    if (!path->value.starts_with('/') || path->value.size() > longest_path || !is_visible(path->value)) {
      table.complain(
          "path", path->at,
          limited("a path that begins with \"/\", without spaces, in ASCII,", longest_path) + in_quotes(path->value));
    }
    c.path = path->value;
  }
  if (const auto host = table.text("host")) {
    if (host->value.size() > longest_host || !is_visible(host->value))
      table.complain("host", host->at, limited("a host's name", longest_host) + in_quotes(host->value));
    c.host = host->value;
  }
}

/// "204" or "200-299".
std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_status(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::uint16_t first = 0;
  const auto [after, failed] = std::from_chars(text.data(), end, first);
  if (failed != std::errc{}) return std::nullopt;
  std::uint16_t last = first;
  if (after != end) {
    if (*after != '-') return std::nullopt;
    const auto [rest, wrong] = std::from_chars(after + 1, end, last);
    if (wrong != std::errc{} || rest != end) return std::nullopt;
  }
  if (first < least_status || last > most_status || first > last) return std::nullopt;
  return std::pair(first, last);
}

void read_status(table_reader& table, check& c) {
  const auto status = table.texts_or_integers("status");
  if (!status) return;
  if (status->value.empty() || status->value.size() > most_ranges) {
    table.complain("status", status->at,
                   "expected 1 to " + std::to_string(most_ranges) + " statuses or ranges of them, found " +
                       std::to_string(status->value.size()));
    return;
  }
  c.status.clear();
  for (const auto& text : status->value) {
    if (const auto range = parse_status(text.value)) {
      c.status.push_back(*range);
    } else {
      table.complain(
          "status", text.at,
          "expected a status from 100 to 599, or a range of them such as \"200-299\", found " + in_quotes(text.value));
    }
  }
}

void read_body(table_reader& table, check& c) {
  table.integer_into<std::size_t>("body_limit", c.body_limit, 1, most_body_octets);
  const auto of_head = [&](std::string_view key, place at) {
    if (c.method == "HEAD") table.complain(key, at, "expected none with the method \"HEAD\", whose answer has no body");
  };
  if (const auto body = table.text("body"); body && !body->value.empty()) {
    const std::size_t most = std::min(longest_body, c.body_limit);
    if (body->value.size() > most)
      table.complain("body", body->at, limited("a text", most) + std::to_string(body->value.size()));
    of_head("body", body->at);
    c.body = body->value;
  }
  if (const auto regex = table.text("body_regex"); regex && !regex->value.empty()) {
    if (regex->value.size() > longest_regex)
      table.complain("body_regex", regex->at,
                     limited("a regular expression", longest_regex) + std::to_string(regex->value.size()));
    else if (const auto compiled = pattern::compile(regex->value); !compiled)
      table.complain("body_regex", regex->at,
                     "expected a regular expression, found " + in_quotes(regex->value) + ": " +
                         in_quotes(compiled.error().message));
    of_head("body_regex", regex->at);
    c.body_regex = regex->value;
  }
}

}  // namespace

void read_http(table_reader& table, check& c) {
  read_request(table, c);
  read_status(table, c);
  read_body(table, c);
}

}  // namespace nearside::config
