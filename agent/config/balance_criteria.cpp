// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/balance_criteria.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "agent/config/durations.hpp"
#include "agent/config/key_text.hpp"
#include "agent/config/wording.hpp"
#include "agent/config/zone_content.hpp"

namespace nearside::config {
namespace {

using score::policy;

constexpr std::size_t most_sites = 32;
constexpr double most_percent = 1'000;
constexpr std::chrono::microseconds least_rtt = 1us;
constexpr std::chrono::microseconds most_rtt = 1min;

/// "10%" or "2.5%".
std::optional<double> parse_percent(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (failed != std::errc{} || rest + 1 != end || *rest != '%') return std::nullopt;
  if (!(number >= 0 && number <= most_percent)) return std::nullopt;
  return number;
}

void read_within(table_reader& table, bool policy_known, score::criteria& rules) {
  const auto within = table.text("within");
  // A policy that nobody understands may have been meant for it.
  if (!within || !policy_known) return;
  if (rules.how != policy::spread) {
    table.complain("within", within->at, R"(expected only with policy = "spread")");
    return;
  }
  if (const auto percent = parse_percent(within->value)) {
    rules.within_percent = *percent;
  } else if (const auto time = parse_duration(within->value); time && *time >= least_rtt && *time <= most_rtt) {
    rules.within_percent = 0;
    rules.within = *time;
  } else {
    table.complain("within", within->at,
                   R"(expected a percentage from "0%" to "1000%" or a duration from "1us" to "1m", found )" +
                       in_quotes(within->value));
  }
}

void read_sites(table_reader& table, score::criteria& rules) {
  const auto sites = table.texts("sites");
  if (!sites) return;
  if (sites->value.size() > most_sites) {
    table.complain(
        "sites", sites->at,
        "expected at most " + std::to_string(most_sites) + " sites, found " + std::to_string(sites->value.size()));
    return;
  }
  for (const auto& text : sites->value) {
    if (!is_name(text.value))
      table.complain("sites", text.at, "expected the name of a site, found " + in_quotes(text.value));
    else if (std::find(rules.sites.begin(), rules.sites.end(), text.value) != rules.sites.end())
      table.complain("sites", text.at, in_quotes(text.value) + " is given twice");
    else
      rules.sites.push_back(text.value);
  }
}

void read_ttls(table_reader& table, std::chrono::seconds zone_ttl, score::criteria& rules) {
  rules.ttl = zone_ttl;
  if (const auto ttl = table.seconds("ttl", least_ttl, most_ttl)) rules.ttl = std::chrono::seconds(ttl->value);
  const auto least = table.seconds("ttl_min", least_ttl, most_ttl);
  rules.ttl_min = least ? std::chrono::seconds(least->value) : std::min(rules.ttl_min, rules.ttl);
  if (rules.ttl_min > rules.ttl) {
    table.complain("ttl_min", least->at,
                   "expected no more than ttl, " + in_quotes(duration_text(rules.ttl)) + ", found " +
                       in_quotes(duration_text(rules.ttl_min)));
  }
}

/// What of the name compares response times; empty: nothing does.
std::string needs_times(const score::criteria& rules) {
  if (rules.how == policy::latency || rules.how == policy::spread) return "policy = " + in_quotes(text_of(rules.how));
  if (rules.maximum_rtt) return "max_rtt";
  if (rules.maximum_loss) return "max_loss";
  return {};
}

void check_measured(table_reader& table, const score::criteria& rules, const server_choice& chosen,
                    const std::vector<check>& checks) {
  const std::string reason = needs_times(rules);
  bool told = reason.empty();
  for (std::size_t i = 0; i < chosen.servers.size(); ++i) {
    const pooled_server& s = chosen.servers[i];
    const std::string shown = in_quotes(s.as.server);
    if (!told && s.checks.empty()) {
      std::string message = "expected servers with a check, because ";
      message.append(reason).append(" needs measurements, found none for ").append(shown);
      table.complain("servers", chosen.places[i], message);
      told = true;
    }
    if (s.from->check_port != 0) continue;
    for (const std::size_t index : s.checks) {
      if (!is_replaced(checks.at(index), "{port}")) continue;
      table.complain("servers", chosen.places[i],
                     "expected a server with a check_port for the {port} of the check " +
                         in_quotes(checks.at(index).name) + ", found " + shown);
    }
  }
}

}  // namespace

score::criteria read_criteria(table_reader& table, std::chrono::seconds zone_ttl) {
  score::criteria rules;
  const auto word = table.one_of("policy", score::policy_words);
  if (word) rules.how = static_cast<policy>(*word);
  table.integer_into<std::size_t>("addresses", rules.addresses, 1, most_addresses);
  table.integer_into<std::size_t>("minimum_healthy", rules.minimum_healthy, 1, most_addresses);
  if (const auto rtt = table.fine_duration("max_rtt", least_rtt, most_rtt)) rules.maximum_rtt = rtt->value;
  if (const auto loss = table.number("max_loss", 0, 1)) rules.maximum_loss = loss->value;
  if (const auto cost = table.number("max_cost", 0, most_cost)) rules.maximum_cost = cost->value;
  read_sites(table, rules);
  read_within(table, word || !table.has("policy"), rules);
  if (const auto rule = table.one_of("all_down", score::all_down_words))
    rules.all_down = static_cast<score::all_down_rule>(*rule);
  if (const auto rule = table.one_of("unknown", score::unknown_words))
    rules.unknown = static_cast<score::unknown_rule>(*rule);
  read_ttls(table, zone_ttl, rules);
  return rules;
}

void check_together(table_reader& table, const score::criteria& rules, const server_choice& chosen,
                    const std::vector<check>& checks) {
  const auto& servers = chosen.servers;
  if (rules.minimum_healthy > servers.size()) {
    table.complain("minimum_healthy", table.at("minimum_healthy"),
                   "expected no more than the number of servers, " + std::to_string(servers.size()) + ", found " +
                       std::to_string(rules.minimum_healthy));
  }
  check_measured(table, rules, chosen, checks);
  if (std::all_of(servers.begin(), servers.end(), [](const pooled_server& s) { return s.as.weight == 0; })) {
    table.complain("weights", table.at(table.has("weights") ? "weights" : "servers"),
                   "expected a server with a weight above 0, found none");
  }
  const auto is_preferred = [&](const pooled_server& s) {
    return std::find(rules.sites.begin(), rules.sites.end(), s.as.site) != rules.sites.end();
  };
  if (!rules.sites.empty() && std::none_of(servers.begin(), servers.end(), is_preferred)) {
    table.complain("sites", table.at("sites"), "expected the site of at least one of the servers, found none");
  }
}

}  // namespace nearside::config
