// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/screen.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

namespace nearside::score {
namespace {

/// Over the limit, or still not well below it after it was over.
bool is_over(std::vector<bool>& was_over, std::size_t address, double value, double limit) {
  if (was_over.size() <= address) was_over.resize(address + 1);
  const bool over = value > (was_over[address] ? limit * return_below : limit);
  was_over[address] = over;
  return over;
}

rule rule_of(const candidate& c, const criteria& by, family_memory& memory) {
  if (c.forced == administrative::down) return rule::forced;
  if (c.forced == administrative::drain) return rule::drained;
  const bool forced_up = c.forced == administrative::up;
  // Limits are looked at in any state, so that their memory follows the figures.
  const bool slow = by.maximum_rtt && c.rtt &&
                    is_over(memory.over_rtt, c.address, milliseconds_of(*c.rtt), milliseconds_of(*by.maximum_rtt));
  const bool lossy = by.maximum_loss && is_over(memory.over_loss, c.address, c.loss, *by.maximum_loss);
  if (forced_up) return rule::none;
  if (c.measured == standing::down) return rule::down;
  if (c.measured == standing::unknown && by.unknown != unknown_rule::up) return rule::unknown;
  if (slow) return rule::max_rtt;
  return lossy ? rule::max_loss : rule::none;
}

/// Keeps of the eligible those that `keep` says, unless that would be none.
void prefer(screened& s, rule removed_by, const std::function<bool(std::size_t)>& keep) {
  if (std::none_of(s.eligible.begin(), s.eligible.end(), keep)) return;
  std::erase_if(s.eligible, [&](std::size_t address) {
    if (keep(address)) return false;
    s.rules[address] = removed_by;
    return true;
  });
}

std::size_t rank_of_site(const criteria& by, const std::string& site) {
  return static_cast<std::size_t>(std::find(by.sites.begin(), by.sites.end(), site) - by.sites.begin());
}

void apply_preferences(const pool& of, const pool::family& family, screened& s) {
  const auto who = [&](std::size_t address) -> const member& { return of.members[family.addresses[address].member]; };
  if (of.rules.maximum_cost)
    prefer(s, rule::max_cost, [&](std::size_t a) { return who(a).cost <= *of.rules.maximum_cost; });
  if (s.eligible.empty()) return;
  const auto least = [&](const auto& value) {
    auto found = value(s.eligible.front());
    for (const std::size_t a : s.eligible) found = std::min(found, value(a));
    return found;
  };
  if (!of.rules.sites.empty()) {
    const auto rank = [&](std::size_t a) { return rank_of_site(of.rules, who(a).site); };
    const auto best = least(rank);
    prefer(s, rule::site, [&](std::size_t a) { return rank(a) == best; });
  }
  // With failover the priority is the order itself.
  if (of.rules.how != policy::failover) {
    const auto priority = [&](std::size_t a) { return who(a).priority; };
    const auto best = least(priority);
    prefer(s, rule::priority, [&](std::size_t a) { return priority(a) == best; });
  }
  prefer(s, rule::weight, [&](std::size_t a) { return who(a).weight > 0; });
}

std::string number(double value, int digits = 1) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

screened screen(const pool& of, const pool::family& family, std::span<const candidate> candidates,
                family_memory& memory) {
  screened s;
  for (const candidate& c : candidates) {
    s.rules.push_back(rule_of(c, of.rules, memory));
    if (s.rules.back() == rule::none) s.eligible.push_back(c.address);
  }
  if (s.eligible.empty() && of.rules.unknown == unknown_rule::last) {
    for (const candidate& c : candidates) {
      if (s.rules[c.address] != rule::unknown) continue;
      s.rules[c.address] = rule::none;
      s.eligible.push_back(c.address);
      s.by_unknown = true;
    }
  } else if (s.eligible.size() < of.rules.minimum_healthy) {
    for (const std::size_t address : s.eligible) s.rules[address] = rule::minimum;
    s.eligible.clear();
  }
  apply_preferences(of, family, s);
  return s;
}

std::string_view text_of(rule r) noexcept {
  switch (r) {
    case rule::none: break;
    case rule::down: return "down";
    case rule::unknown: return "unknown";
    case rule::forced: return "forced_down";
    case rule::drained: return "drained";
    case rule::max_rtt: return "max_rtt";
    case rule::max_loss: return "max_loss";
    case rule::minimum: return "minimum_healthy";
    case rule::max_cost: return "max_cost";
    case rule::site: return "sites";
    case rule::priority: return "priority";
    case rule::weight: return "weight";
    case rule::policy: return "policy";
  }
  return "";
}

std::string sentence_of(rule r, const candidate& about, const pool& of, const member& who) {
  const auto limit = [](double limit_value, const char* unit) {
    return " (returns below " + number(limit_value * return_below, 2) + unit + ")";
  };
  switch (r) {
    case rule::none: return "eligible";
    case rule::down:
      return about.missing > 0 ? "down; " + std::to_string(about.missing) + " more successes in a row bring it up"
                               : "down";
    case rule::unknown: return "no result yet, and unknown servers do not serve beside known ones";
    case rule::forced: return "forced down by an operator";
    case rule::drained: return "drained by an operator";
    case rule::max_rtt:
      return "SRTT " + number(milliseconds_of(about.rtt.value_or(duration::zero()))) + " ms is over max_rtt " +
             number(milliseconds_of(*of.rules.maximum_rtt)) + " ms" +
             limit(milliseconds_of(*of.rules.maximum_rtt), " ms");
    case rule::max_loss:
      return "loss " + number(about.loss, 2) + " is over max_loss " + number(*of.rules.maximum_loss, 2) +
             limit(*of.rules.maximum_loss, "");
    case rule::minimum:
      return "eligible, but fewer than minimum_healthy " + std::to_string(of.rules.minimum_healthy) + " are";
    case rule::max_cost:
      return "cost " + number(who.cost) + " is over max_cost " + number(*of.rules.maximum_cost) +
             ", and cheaper ones serve";
    case rule::site: return "site \"" + who.site + "\" comes after one that has an eligible server";
    case rule::priority: return "priority " + std::to_string(who.priority) + ": a better one has an eligible server";
    case rule::weight: return "weight 0, and others have more";
    case rule::policy: return "eligible, but the policy prefers others";
  }
  return "";
}

}  // namespace nearside::score
