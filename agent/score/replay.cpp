// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/replay.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <unordered_set>

#include "agent/score/recording.hpp"
#include "agent/score/trace_json.hpp"

namespace nearside::score {
namespace json = boost::json;
namespace {

constexpr std::size_t most_servers = 255;      // as in a pool
constexpr std::size_t most_targets = 100'000;  // as in a configuration
constexpr std::size_t most_isps = 10'000;
constexpr double longest_time = 1e9;  // seconds

error wrong(const std::string& what) { return {errc::invalid, what}; }

std::optional<double> number_in(const json::object& line, std::string_view key) {
  const auto* found = line.if_contains(key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->is_double() ? found->get_double() : found->to_number<double>();
}

std::string_view text_in(const json::object& line, std::string_view key) {
  const auto* found = line.if_contains(key);
  return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

result<std::vector<std::string>> texts_in(const json::object& line, std::string_view key, std::size_t most) {
  const auto* found = line.if_contains(key);
  const auto* array = found == nullptr ? nullptr : found->if_array();
  if (array == nullptr || array->empty() || array->size() > most)
    return wrong("start: \"" + std::string(key) + "\": expected an array of 1 to " + std::to_string(most) + " strings");
  std::vector<std::string> texts;
  std::unordered_set<std::string> seen;
  for (const json::value& one : *array) {
    if (!one.is_string()) return wrong("start: \"" + std::string(key) + "\": expected strings");
    texts.emplace_back(one.get_string());
    if (!seen.insert(texts.back()).second)
      return wrong("start: \"" + std::string(key) + "\": \"" + texts.back() + "\" is given twice");
  }
  return texts;
}

instant instant_of(double seconds) {
  return instant(duration(static_cast<duration::rep>(std::llround(seconds * 1e9))));
}

/// {"server": "s1"} or {"weights": {"s0": 1, "s4": 2}}, and the TTL.
json::object answer_json(const pool& of, std::size_t family, const dns::choice& made) {
  const auto& addresses = of.families[family].addresses;
  const auto name = [&](std::size_t a) {
    return a < addresses.size() ? of.members[addresses[a].member].server : "fallback " + std::to_string(a);
  };
  json::object said;
  if (made.alternatives.empty()) {
    said["server"] = nullptr;
  } else if (made.alternatives.size() == 1) {
    said["server"] = name(made.alternatives.front().order.front());
  } else {
    std::map<std::size_t, double> shares;
    for (const dns::alternative& a : made.alternatives)
      shares[a.order.front()] = share_of(made.alternatives, a.order.front());
    const double least =
        std::min_element(shares.begin(), shares.end(), [](auto& a, auto& b) { return a.second < b.second; })->second;
    json::object weights;
    for (const auto& [address, share] : shares) {
      const double weight = std::round(share / least * 100) / 100;
      if (weight == std::floor(weight))
        weights[name(address)] = static_cast<std::int64_t>(weight);
      else
        weights[name(address)] = weight;
    }
    said["weights"] = std::move(weights);
  }
  said["ttl"] = made.ttl;
  return said;
}

}  // namespace

replay::replay(replay_settings settings, writer out) : settings_(std::move(settings)), out_(std::move(out)) {}

result<bool> replay::feed(std::string_view line) {
  // A line is parsed into this memory and forgotten: a million of them ask for none.
  std::array<unsigned char, 4096> memory{};
  json::monotonic_resource resource(memory.data(), memory.size());
  boost::system::error_code failed;
  const json::value parsed = json::parse({line.data(), line.size()}, failed, &resource);
  if (failed || !parsed.is_object()) return wrong("expected a JSON object");
  const json::object& object = parsed.get_object();
  const std::string_view type = text_in(object, "type");
  if (type == "sample") {
    if (auto done = add(object); !done) return done.error();
    return true;
  }
  if (type == "start") {
    if (auto done = start(object); !done) return done.error();
    return true;
  }
  if (type == "end") return false;
  return wrong("expected \"type\" to be start, sample or end");
}

result<void> replay::start(const json::object& line) {
  if (started_) return wrong("start: there was one before");
  const auto servers = texts_in(line, "servers", settings_.by ? most_targets : most_servers);
  if (!servers) return servers.error();
  const auto isps = texts_in(line, "isps", most_isps);
  if (!isps) return isps.error();
  if (!settings_.by) {
    pool all;
    all.rules.how = policy::latency;
    if (const auto* ttl = line.if_contains("ttl_s"); ttl != nullptr) {
      const auto seconds = number_in(line, "ttl_s");
      if (!seconds || *seconds < 1 || *seconds > 172'800) return wrong("start: \"ttl_s\": expected 1 to 172800");
      all.rules.ttl = std::chrono::seconds(static_cast<long>(*seconds));
      all.rules.ttl_min = std::min(all.rules.ttl_min, all.rules.ttl);
    }
    for (std::size_t s = 0; s < servers->size(); ++s) {
      target t;
      t.key = t.label = t.server = (*servers)[s];
      t.health = settings_.health;
      settings_.targets.push_back(std::move(t));
      member m;
      m.server = (*servers)[s];
      all.members.push_back(std::move(m));
      all.families[0].addresses.push_back({s, {s}});
    }
    settings_.by = std::move(all);
  }
  for (const std::string& server : *servers) targets_of_[server];
  for (std::size_t t = 0; t < settings_.targets.size(); ++t) {
    const auto found = targets_of_.find(settings_.targets[t].label);
    if (found == targets_of_.end())
      return wrong("start: the recording has no server \"" + settings_.targets[t].label +
                   "\", which the configuration has");
    found->second.push_back(t);
  }
  for (const std::string& isp : *isps) edges_[isp];
  started_ = true;
  return {};
}

result<void> replay::add(const json::object& line) {
  if (!started_) return wrong("a sample before the start");
  const auto t = number_in(line, "t");
  if (!t || *t < 0 || *t > longest_time) return wrong("sample: \"t\": expected seconds from 0 to 1e9");
  if (*t < last_) return wrong("sample: \"t\" runs backwards");
  const auto from = edges_.find(std::string(text_in(line, "isp")));
  if (from == edges_.end()) return wrong("sample: \"isp\": none of those of the start");
  const auto server = targets_of_.find(std::string(text_in(line, "server")));
  if (server == targets_of_.end()) return wrong("sample: \"server\": none of those of the start");
  const auto* ok = line.if_contains("ok");
  if (ok == nullptr || !ok->is_bool()) return wrong("sample: \"ok\": expected true or false");

  sample s;
  s.at = instant_of(*t);
  if (ok->get_bool()) {
    const auto first_byte = number_in(line, "first_byte_ms");
    if (!first_byte || *first_byte < 0 || *first_byte > 1e9)
      return wrong("sample: \"first_byte_ms\": expected the milliseconds of a sample that is ok");
    s.first_byte = duration(static_cast<duration::rep>(std::llround(*first_byte * 1e6)));
  } else {
    s.reason = text_in(line, "reason");
    if (s.reason.empty()) return wrong("sample: \"reason\": expected the reason of the failure");
    s.what = outcome_of_failure(s.reason);
  }
  if (const auto connect = number_in(line, "connect_ms"); connect && *connect >= 0 && *connect < 1e9)
    s.connect = duration(static_cast<duration::rep>(std::llround(*connect * 1e6)));
  last_ = *t;
  auto& board = from->second.board;
  if (!board)
    board = std::make_unique<scoreboard>(settings_.targets, std::vector{*settings_.by}, settings_.latency, instant{});
  // What is answered before the first sample is told with it.
  bool changed = from->second.said[0].empty() && from->second.said[1].empty();
  for (const std::size_t target : server->second) changed |= !board->add(target, s).pools.empty();
  if (changed) tell(from->first, from->second, s.at, *t);
  return {};
}

void replay::tell(const std::string& isp, edge& at, instant now, double t) {
  const dns::pool_choice& made = at.board->choices()->front();
  for (std::size_t f = 0; f < 2; ++f) {
    if (settings_.by->families[f].addresses.empty()) continue;
    json::object said = answer_json(*settings_.by, f, made.families[f]);
    std::string content = json::serialize(said);
    if (content == at.said[f]) continue;
    at.said[f] = std::move(content);
    json::object line{{"isp", isp}};
    if (f == 1) line["family"] = "ipv6";
    for (const auto& [key, value] : said) line[key] = value;
    if (settings_.why) line["why"] = to_json(at.board->explain(0, now).families[f], made.families[f]);
    out_(R"({"t":)" + fixed(t) + "," + json::serialize(line).substr(1));
  }
}

}  // namespace nearside::score
