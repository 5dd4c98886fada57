// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/recording.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>

namespace nearside::score {
namespace json = boost::json;
namespace {

std::string quoted(const std::string& text) { return json::serialize(json::value(text)); }

/// Whole microseconds, in ms.
std::string milliseconds(const std::optional<duration>& time) {
  return time ? fixed(std::round(milliseconds_of(*time) * 1000) / 1000) : "null";
}

}  // namespace

std::string fixed(double number) {
  std::array<char, 352> text{};  // the longest double in this form has 309 digits and a few more
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

std::string start_line(const std::string& isp, const std::vector<target>& targets, double interval, double timeout,
                       std::uint32_t rechecks, std::chrono::seconds ttl) {
  std::string servers;
  for (const target& t : targets) servers += (servers.empty() ? "" : ",") + quoted(t.label);
  return R"({"type":"start","isps":[)" + quoted(isp) + R"(],"servers":[)" + servers + R"(],"interval_s":)" +
         fixed(interval) + R"(,"timeout_s":)" + fixed(timeout) + R"(,"rechecks":)" + std::to_string(rechecks) +
         R"(,"ttl_s":)" + std::to_string(ttl.count()) + "}";
}

std::string sample_line(double t, const std::string& isp, const std::string& label, const sample& s) {
  return R"({"type":"sample","t":)" + fixed(std::round(t * 1e6) / 1e6) + R"(,"isp":)" + quoted(isp) + R"(,"server":)" +
         quoted(label) + R"(,"ok":)" + (s.what == outcome::ok ? "true" : "false") + R"(,"first_byte_ms":)" +
         milliseconds(s.what == outcome::ok ? s.first_byte : std::nullopt) + R"(,"connect_ms":)" +
         milliseconds(s.connect) + R"(,"reason":)" + quoted(s.reason) + "}";
}

std::string end_line() { return R"({"type":"end"})"; }

}  // namespace nearside::score
