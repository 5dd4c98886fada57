// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/choose.hpp"

#include <algorithm>

#include "agent/score/order.hpp"
#include "agent/score/screen.hpp"
#include "agent/score/ttl.hpp"

namespace nearside::score {
namespace {

std::vector<bool> addresses_in(const dns::choice& made, std::size_t count) {
  std::vector<bool> answered(count);
  for (const dns::alternative& a : made.alternatives)
    for (const std::uint8_t address : a.order)
      if (address < count) answered[address] = true;
  return answered;
}

std::vector<dns::alternative> rotate_all(const std::vector<std::size_t>& addresses) {
  std::vector<share> shares;
  shares.reserve(addresses.size());
  for (const std::size_t a : addresses) shares.push_back({static_cast<std::uint8_t>(a), 1});
  return rotation(shares, addresses.size());
}

/// Nothing is eligible in either family.
dns::choice all_down(const pool& of, const pool::family& family, std::span<const rule> rules) {
  dns::choice made;
  std::vector<std::size_t> addresses;
  switch (of.rules.all_down) {
    case all_down_rule::servfail: made.what = dns::choice::kind::servfail; return made;
    case all_down_rule::fallback:
      for (std::size_t i = 0; i < family.fallbacks; ++i) addresses.push_back(family.addresses.size() + i);
      break;
    case all_down_rule::answer_all:
      // What an operator took out stays out, unless that leaves nothing: an answer is better than none.
      for (std::size_t a = 0; a < family.addresses.size(); ++a)
        if (rules[a] != rule::forced && rules[a] != rule::drained) addresses.push_back(a);
      if (addresses.empty())
        for (std::size_t a = 0; a < family.addresses.size(); ++a) addresses.push_back(a);
      break;
  }
  if (addresses.empty()) return made;
  made.what = dns::choice::kind::answer;
  made.alternatives = rotate_all(addresses);
  return made;
}

std::string outcome_of(const pool& of, const dns::choice& made, const screened& who, bool other_family_serves) {
  if (who.by_unknown) return "nothing is up yet: servers without a result stand in";
  if (!who.eligible.empty())
    return "policy " + std::string(text_of(of.rules.how)) + " among " + std::to_string(who.eligible.size()) +
           " eligible";
  if (other_family_serves) return "no server of this family is eligible, one of the other is: NODATA";
  switch (made.what) {
    case dns::choice::kind::servfail: return "all down: SERVFAIL";
    case dns::choice::kind::nodata: return "all down, and no fallback of this family: NODATA";
    case dns::choice::kind::answer: break;
  }
  return of.rules.all_down == all_down_rule::fallback ? "all down: the fallback addresses" : "all down: all servers";
}

void tell(const pool& of, const pool::family& family, std::span<const candidate> candidates, const screened& who,
          const dns::choice& made, const family_memory& memory, family_trace& told) {
  const auto answered = addresses_in(made, candidates.size());
  for (const candidate& c : candidates) {
    const member& server = of.members[family.addresses[c.address].member];
    verdict v;
    v.seen = c;
    v.server = server.server;
    rule removed_by = who.rules[c.address];
    if (removed_by == rule::none && !answered[c.address]) removed_by = rule::policy;
    v.rule = text_of(removed_by);
    v.reason = sentence_of(removed_by, c, of, server);
    v.share = share_of(made.alternatives, static_cast<std::uint8_t>(c.address));
    v.evidence = memory.latency.evidence(c.address);
    told.verdicts.push_back(std::move(v));
  }
}

}  // namespace

dns::pool_choice choose(const pool& of, const std::vector<candidate> (&candidates)[2], const latency_settings& by,
                        instant now, pool_memory& memory, trace* why) {
  const screened who[2] = {screen(of, of.families[0], candidates[0], memory.families[0]),
                           screen(of, of.families[1], candidates[1], memory.families[1])};
  const bool anybody = !who[0].eligible.empty() || !who[1].eligible.empty();
  dns::pool_choice decided;
  for (std::size_t f = 0; f < 2; ++f) {
    const pool::family& family = of.families[f];
    if (family.addresses.empty() && family.fallbacks == 0) continue;
    dns::choice& made = decided.families[f];
    const ordering given{of, family, candidates[f], who[f].eligible, by, now};
    if (!who[f].eligible.empty()) {
      made.what = dns::choice::kind::answer;
      made.alternatives = order(given, memory.families[f]);
      made.by_client = of.rules.how == policy::hash && made.alternatives.size() > 1;
    } else if (!anybody) {
      made = all_down(of, family, who[f].rules);
    }
    const auto ttl =
        decide_ttl(given, who[f], addresses_in(made, candidates[f].size()), memory.families[f], why != nullptr);
    made.ttl = static_cast<std::uint32_t>(ttl.ttl.count());
    if (why == nullptr) continue;
    tell(of, family, candidates[f], who[f], made, memory.families[f], why->families[f]);
    why->families[f].outcome = outcome_of(of, made, who[f], anybody);
    why->families[f].ttl_reason = ttl.reason;
  }
  return decided;
}

dns::pool_choice stale_choice(const pool& of) {
  dns::pool_choice made;
  for (std::size_t f = 0; f < 2; ++f) {
    std::vector<std::size_t> addresses(of.families[f].addresses.size());
    for (std::size_t a = 0; a < addresses.size(); ++a) addresses[a] = a;
    if (addresses.empty()) continue;
    made.families[f].what = dns::choice::kind::answer;
    made.families[f].ttl = static_cast<std::uint32_t>(of.rules.ttl_min.count());
    made.families[f].alternatives = rotate_all(addresses);
  }
  return made;
}

}  // namespace nearside::score
