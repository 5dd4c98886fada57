// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <fstream>
#include <sstream>

#include "agent/base/unique_fd.hpp"
#include "agent/config/text_file.hpp"

namespace nearside::admin {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t format = 1;
constexpr std::uintmax_t largest_file = 256ull << 20;

double calendar_of(score::instant when, const moment& at) {
  const auto calendar = at.calendar.time_since_epoch() + (when - at.steady);
  return std::chrono::duration<double>(calendar).count();
}

/// Errors are thrown inside (a key that is missing, another type) and become one error of parse_state().
struct reader {
  moment at;

  [[nodiscard]] score::instant instant_of(const json::value& seconds) const {
    const double now = std::chrono::duration<double>(at.calendar.time_since_epoch()).count();
    const double away = seconds.to_number<double>() - now;
    if (!std::isfinite(away) || std::abs(away) > 1e10) throw std::invalid_argument("a time out of range");
    return at.steady + std::chrono::duration_cast<score::duration>(std::chrono::duration<double>(away));
  }
  [[nodiscard]] score::instant past(const json::value& seconds) const {
    return std::min(instant_of(seconds), at.steady);
  }
  [[nodiscard]] static std::string text(const json::value& value) { return std::string(value.as_string()); }
  [[nodiscard]] static double figure(const json::value& value) {
    const double number = value.to_number<double>();
    if (!(number >= 0 && number <= 1e9)) throw std::invalid_argument("a figure out of range");
    return number;
  }
  [[nodiscard]] static score::duration milliseconds(const json::value& value) {
    return score::duration(static_cast<score::duration::rep>(figure(value) * 1e6));
  }

  [[nodiscard]] score::memory::of_target target(const json::object& from) const {
    score::memory::of_target kept;
    kept.state = from.at("state").as_string() == "up" ? score::standing::up : score::standing::down;
    kept.since = past(from.at("since"));
    for (const json::value& fall : from.at("falls").as_array()) kept.falls.push_back(past(fall));
    kept.reason = text(from.at("reason"));
    if (const auto* rtt = from.if_contains("srtt_ms"))
      kept.rtt = std::pair(milliseconds(*rtt), milliseconds(from.at("rttvar_ms")));
    if (const auto* smoothed = from.if_contains("first_byte_ms")) {
      kept.smoothed = figure(*smoothed);
      kept.deviation = figure(from.at("deviation_ms"));
      kept.penalty = figure(from.at("penalty_ms"));
    }
    return kept;
  }

  [[nodiscard]] score::order_of_operator order(const json::object& from) const {
    score::order_of_operator kept;
    const auto& state = from.at("state").as_string();
    for (const auto known : {score::administrative::up, score::administrative::down, score::administrative::drain})
      if (state == score::text_of(known)) kept.state = known;
    kept.owner = text(from.at("owner"));
    kept.reason = text(from.at("reason"));
    kept.since = past(from.at("since"));
    if (const auto* until = from.if_contains("until")) kept.until = instant_of(*until);
    return kept;
  }

  [[nodiscard]] score::memory all(const json::object& from) const {
    if (from.at("format").as_int64() != format) throw std::invalid_argument("written by another version");
    score::memory known;
    for (const auto& [key, value] : from.at("targets").as_object())
      known.targets.emplace(key, target(value.as_object()));
    for (const auto& [key, value] : from.at("serving").as_object()) known.serving.emplace(key, text(value));
    for (const auto& [key, value] : from.at("orders").as_object()) known.orders.emplace(key, order(value.as_object()));
    for (const auto& [key, value] : from.at("answers_end").as_object())
      known.answers_end.emplace(key, instant_of(value));
    return known;
  }
};

json::object target_json(const score::memory::of_target& kept, const moment& at) {
  json::array falls;
  for (const auto fall : kept.falls) falls.emplace_back(calendar_of(fall, at));
  json::object made{{"state", score::text_of(kept.state)},
                    {"since", calendar_of(kept.since, at)},
                    {"falls", std::move(falls)},
                    {"reason", kept.reason}};
  if (kept.rtt) {
    made["srtt_ms"] = score::milliseconds_of(kept.rtt->first);
    made["rttvar_ms"] = score::milliseconds_of(kept.rtt->second);
  }
  if (kept.smoothed) {
    made["first_byte_ms"] = *kept.smoothed;
    made["deviation_ms"] = kept.deviation;
    made["penalty_ms"] = kept.penalty;
  }
  return made;
}

json::object order_json(const score::order_of_operator& kept, const moment& at) {
  json::object made{{"state", score::text_of(kept.state)},
                    {"owner", kept.owner},
                    {"reason", kept.reason},
                    {"since", calendar_of(kept.since, at)}};
  if (kept.until) made["until"] = calendar_of(*kept.until, at);
  return made;
}

result<void> write_all(int fd, std::string_view text, const std::string& doing) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return system_error(errno, doing);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

std::string print_state(const score::memory& known, const moment& at) {
  json::object targets;
  for (const auto& [key, kept] : known.targets) targets[key] = target_json(kept, at);
  json::object serving;
  for (const auto& [key, server] : known.serving) serving[key] = server;
  json::object orders;
  for (const auto& [server, kept] : known.orders) orders[server] = order_json(kept, at);
  json::object ends;
  for (const auto& [server, end] : known.answers_end)
    if (end > at.steady) ends[server] = calendar_of(end, at);
  return json::serialize(json::object{{"format", format},
                                      {"orders", std::move(orders)},
                                      {"serving", std::move(serving)},
                                      {"answers_end", std::move(ends)},
                                      {"targets", std::move(targets)}});
}

result<score::memory> parse_state(std::string_view text, const moment& at) {
  boost::system::error_code failed;
  const json::value parsed = json::parse({text.data(), text.size()}, failed);
  if (failed || !parsed.is_object()) return error{errc::invalid, "expected a JSON object"};
  try {
    return reader{at}.all(parsed.get_object());
  } catch (const std::exception& why) {
    return error{errc::invalid, why.what()};
  }
}

result<void> save_state(const fs::path& file, const score::memory& known, const moment& at, bool durable) {
  const std::string doing = "state file " + file.string();
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (failed) return system_error(failed.value(), doing);
  const std::string aside = file.string() + ".new";
  {
    const unique_fd opened(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (!opened) return system_error(errno, doing);
    if (auto written = write_all(opened.get(), print_state(known, at), doing); !written) return written;
    if (durable && ::fdatasync(opened.get()) != 0) return system_error(errno, doing);
  }
  if (::rename(aside.c_str(), file.c_str()) != 0) return system_error(errno, doing);
  return {};
}

result<score::memory> load_state(const fs::path& file, const moment& at) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return score::memory{};
  const auto text = config::read_file(file, largest_file);
  if (!text) return error{text.error().kind, "state file " + file.string() + ": " + text.error().message};
  auto known = parse_state(*text, at);
  if (!known) return error{errc::invalid, "state file " + file.string() + ": " + known.error().message};
  return known;
}

}  // namespace nearside::admin
