// SPDX-License-Identifier: BSD-2-Clause
#include "agent/admin/servers.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "agent/score/figure_json.hpp"

namespace nearside::admin {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_text = 255;
constexpr double longest_seconds = 10 * 365.25 * 86400;

json::value seconds_until(const std::optional<score::instant>& end, score::instant now) {
  return end && *end > now ? score::rounded(score::seconds_of(*end - now)) : json::value(nullptr);
}

json::value order_json(const score::order_of_operator* order, score::instant now) {
  if (order == nullptr) return nullptr;
  return json::object{{"state", score::text_of(order->state)},
                      {"owner", order->owner},
                      {"reason", order->reason},
                      {"since_s", score::rounded(score::seconds_of(now - order->since))},
                      {"ends_in_s", seconds_until(order->until, now)}};
}

/// One address of one server.
struct row {
  std::string server;
  std::size_t family = 0;
  std::vector<std::size_t> targets;

  friend bool operator<(const row& a, const row& b) {
    return std::tie(a.server, a.family, a.targets) < std::tie(b.server, b.family, b.targets);
  }
};

std::set<row> rows_of(const score::scoreboard& board) {
  std::set<row> rows;
  for (const score::pool& p : board.pools())
    for (std::size_t f = 0; f < 2; ++f)
      for (const score::pool_address& a : p.families[f].addresses)
        rows.insert({p.members[a.member].server, f, a.targets});
  return rows;
}

json::object check_json(const score::scoreboard& board, const config::measuring& configured, std::size_t target,
                        score::instant now) {
  const score::measured& m = board.of(target);
  const config::probe_target& probe = configured.probes[target];
  const auto newest = m.figures.newest();
  return {
      {"check", board.targets()[target].check},
      {"target", board.targets()[target].label},
      {"measured_address", probe.address.to_string()},
      {"state", score::text_of(m.state.now())},
      {"failing", m.state.failing()},
      {"remembered", m.remembered},
      {"since_s", m.state.since() ? score::rounded(score::seconds_of(now - *m.state.since())) : json::value(nullptr)},
      {"missing_successes", m.state.missing(now)},
      {"falls", m.state.falls(now)},
      {"srtt_ms", score::milliseconds(m.figures.smoothed())},
      {"rttvar_ms", m.figures.smoothed() ? score::milliseconds(m.figures.variation()) : json::value(nullptr)},
      {"min_ms", score::milliseconds(m.figures.minimum(now))},
      {"first_byte_ms", score::rounded(m.waiting.smoothed())},
      {"loss", score::rounded(m.figures.loss(now))},
      {"age_s", newest ? score::rounded(score::seconds_of(now - *newest)) : json::value(nullptr)},
      {"reason", m.reason},
      {"certificate_days", m.certificate_days ? json::value(*m.certificate_days) : json::value(nullptr)},
      {"in_use", board.in_use(target)}};
}

result<std::string> text_in(const json::object& request, std::string_view key, bool needed) {
  const auto* found = request.if_contains(key);
  if (found == nullptr && !needed) return std::string();
  if (found == nullptr || !found->is_string() || found->get_string().size() > longest_text ||
      (needed && found->get_string().empty()))
    return error{errc::invalid, "\"" + std::string(key) + "\": expected a text of 1 to 255 octets"};
  return std::string(found->get_string());
}

}  // namespace

result<json::object> servers_json(const score::scoreboard& board, const config::measuring& configured,
                                  const json::object& request, score::instant now) {
  const auto pattern = text_in(request, "pattern", false);
  if (!pattern) return pattern.error();
  const auto answered = board.answered();
  json::array servers;
  for (const row& r : rows_of(board)) {
    if (!pattern->empty() && !score::administration::matches(*pattern, r.server)) continue;
    json::array checks;
    for (const std::size_t t : r.targets) checks.push_back(check_json(board, configured, t, now));
    servers.push_back(json::object{
        {"server", r.server},
        {"family", r.family == 0 ? "ipv4" : "ipv6"},
        {"state", r.targets.empty() ? "not checked" : score::text_of(board.standing_of(r.targets))},
        {"administrative", order_json(board.orders().find(r.server), now)},
        {"answered", answered.contains(r.server)},
        {"answers_end_s", seconds_until(board.answers_end(r.server), now)},
        {"checks", std::move(checks)},
    });
  }
  return json::object{{"servers", std::move(servers)}};
}

result<administer_request> parse_administer(const json::object& request, score::instant now) {
  administer_request wanted;
  auto pattern = text_in(request, "pattern", true);
  if (!pattern) return pattern.error();
  wanted.pattern = std::move(*pattern);
  const auto state = text_in(request, "state", true);
  if (!state) return state.error();
  using score::administrative;
  const auto states = {administrative::none, administrative::up, administrative::down, administrative::drain};
  const auto known =
      std::find_if(states.begin(), states.end(), [&](administrative one) { return score::text_of(one) == *state; });
  if (known == states.end()) return error{errc::invalid, "\"state\": expected up, down, drain or none"};
  wanted.said.state = *known;
  wanted.said.since = now;
  const bool said = *known != administrative::none;
  auto owner = text_in(request, "owner", said);
  if (!owner) return owner.error();
  auto reason = text_in(request, "reason", said);
  if (!reason) return reason.error();
  wanted.said.owner = std::move(*owner);
  wanted.said.reason = std::move(*reason);
  if (const auto* seconds = request.if_contains("seconds"); seconds != nullptr && !seconds->is_null()) {
    const double length = seconds->is_number() ? seconds->to_number<double>() : 0;
    if (!(length > 0 && length <= longest_seconds))
      return error{errc::invalid, "\"seconds\": expected a number above 0, of ten years at most"};
    wanted.said.until = now + std::chrono::duration_cast<score::duration>(std::chrono::duration<double>(length));
  }
  return wanted;
}

json::object administered_json(const score::scoreboard& board, const std::vector<std::string>& servers,
                               score::instant now) {
  const auto answered = board.answered();
  json::array names;
  bool still_answered = false;
  score::instant last = now;
  for (const std::string& server : servers) {
    names.emplace_back(server);
    still_answered |= answered.contains(server);
    last = std::max(last, board.answers_end(server).value_or(now));
  }
  return {{"servers", std::move(names)},
          {"answers_end_s", still_answered ? json::value(nullptr) : score::rounded(score::seconds_of(last - now))}};
}

}  // namespace nearside::admin
