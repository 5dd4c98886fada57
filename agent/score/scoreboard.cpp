// SPDX-License-Identifier: BSD-2-Clause
#include "agent/score/scoreboard.hpp"

#include <algorithm>

namespace nearside::score {
namespace {

/// Policies that give one server to everybody: it is the one in use, and worth a closer look.
bool has_one_in_use(const pool& of) { return of.rules.how == policy::latency || of.rules.how == policy::failover; }

std::string serving_key(const pool& of, std::size_t family) { return of.key + "|" + std::to_string(family); }

/// Calls for the server of each address in the choice.
template <typename Visit>
void for_each_server(const pool& of, const dns::pool_choice& choice, const Visit& visit) {
  for (std::size_t f = 0; f < 2; ++f) {
    const auto& addresses = of.families[f].addresses;
    for (const dns::alternative& a : choice.families[f].alternatives)
      for (const std::uint8_t address : a.order)
        if (address < addresses.size()) visit(of.members[addresses[address].member].server, choice.families[f].ttl);
  }
}

}  // namespace

scoreboard::scoreboard(std::vector<target> targets, std::vector<pool> pools, const latency_settings& by, instant now,
                       const memory& known)
    : targets_(std::move(targets)),
      pools_(std::move(pools)),
      by_(by),
      memories_(pools_.size()),
      pools_of_(targets_.size()),
      uses_(targets_.size()),
      choices_(std::make_shared<dns::choices>(pools_.size())) {
  measured_.reserve(targets_.size());
  for (const target& t : targets_) measured_.emplace_back(t.health);
  for (std::size_t p = 0; p < pools_.size(); ++p)
    for (const auto& family : pools_[p].families)
      for (const pool_address& address : family.addresses)
        for (const std::size_t t : address.targets)
          if (pools_of_[t].empty() || pools_of_[t].back() != p) pools_of_[t].push_back(p);
  for (const pool& p : pools_) longest_ttl_ = std::max<duration>(longest_ttl_, p.rules.ttl);
  recall(known);
  effect ignored;
  orders_.expire(now);
  for (std::size_t p = 0; p < pools_.size(); ++p) decide(p, now, ignored);
}

scoreboard::effect scoreboard::add(std::size_t target, const sample& s) {
  effect brought;
  measured& what = measured_[target];
  what.remembered = false;
  what.state.add(s.what, s.at);
  what.figures.add(s);
  what.waiting.add(s, by_);
  what.reason = s.reason;
  if (s.certificate_days) what.certificate_days = s.certificate_days;
  for (const std::size_t p : pools_of_[target]) decide(p, s.at, brought);
  brought.settle_soon = what.state.failing();
  return brought;
}

scoreboard::effect scoreboard::administer(const std::string& pattern, const order_of_operator& said, instant now,
                                          std::vector<std::string>& servers) {
  for (const pool& p : pools_)
    for (const member& m : p.members)
      if (administration::matches(pattern, m.server)) servers.push_back(m.server);
  // One that the configuration no longer has can still be released.
  if (said.state == administrative::none)
    for (const auto& [server, order] : orders_.all())
      if (administration::matches(pattern, server)) servers.push_back(server);
  std::sort(servers.begin(), servers.end());
  servers.erase(std::unique(servers.begin(), servers.end()), servers.end());
  for (const std::string& server : servers) orders_.set(server, said);
  return decide_for(servers, now);
}

scoreboard::effect scoreboard::expire(instant now) {
  std::vector<std::string> servers = orders_.expire(now);
  for (const auto& [server, order] : orders_.all())
    if (order.until && *order.until - now <= longest_ttl_) servers.push_back(server);
  std::sort(servers.begin(), servers.end());
  return decide_for(servers, now);
}

std::optional<instant> scoreboard::next_expiry(instant now) const {
  const auto end = orders_.next_end();
  if (!end) return end;
  if (*end - now > longest_ttl_) return *end - longest_ttl_;
  return std::min(*end, now + std::chrono::seconds(1));
}

scoreboard::effect scoreboard::decide_for(const std::vector<std::string>& servers, instant now) {
  effect brought;
  for (std::size_t p = 0; p < pools_.size(); ++p) {
    const bool concerned = std::any_of(pools_[p].members.begin(), pools_[p].members.end(), [&](const member& m) {
      return std::binary_search(servers.begin(), servers.end(), m.server);
    });
    if (concerned) decide(p, now, brought);
  }
  return brought;
}

standing scoreboard::standing_of(const std::vector<std::size_t>& targets) const {
  standing all = standing::up;
  for (const std::size_t t : targets) {
    const standing one = measured_[t].state.now();
    if (one == standing::down) return one;
    if (one == standing::unknown) all = one;
  }
  return all;
}

candidate scoreboard::candidate_of(const pool_address& address, std::size_t index, const std::string& server,
                                   instant now) const {
  candidate c;
  c.address = index;
  c.checked = !address.targets.empty();
  c.measured = standing_of(address.targets);
  for (const std::size_t t : address.targets) {
    const measured& m = measured_[t];
    const standing state = m.state.now();
    c.failing |= m.state.failing();
    c.remembered |= m.remembered;
    if (state == standing::down && m.state.successes() > 0) {
      const std::uint32_t missing = m.state.missing(now);
      if (missing >= c.missing) c.interval = targets_[t].interval;
      c.missing = std::max(c.missing, missing);
    }
  }
  if (c.checked) {
    const measured& first = measured_[address.targets.front()];
    c.expected = first.waiting.expected();
    c.smoothed = first.waiting.smoothed();
    c.penalty = first.waiting.penalty();
    c.rtt = first.figures.smoothed();
    c.rtt_variation = first.figures.variation();
    c.loss = first.figures.loss(now);
    if (const auto newest = first.figures.newest()) c.age = now - *newest;
  }
  if (const auto* order = orders_.find(server)) {
    c.forced = order->state;
    if (order->until) c.forced_left = *order->until - now;
  }
  return c;
}

void scoreboard::fill_candidates(const pool& of, instant now, std::vector<candidate> (&to)[2]) const {
  for (std::size_t f = 0; f < 2; ++f) {
    const auto& addresses = of.families[f].addresses;
    to[f].clear();
    for (std::size_t a = 0; a < addresses.size(); ++a)
      to[f].push_back(candidate_of(addresses[a], a, of.members[addresses[a].member].server, now));
  }
}

void scoreboard::decide(std::size_t pool, instant now, effect& brought) {
  const score::pool& of = pools_[pool];
  fill_candidates(of, now, scratch_);
  dns::pool_choice decided = choose(of, scratch_, by_, now, memories_[pool]);
  dns::pool_choice& current = (*choices_)[pool];
  if (decided == current) return;
  note_answers(of, current, now, answers_end_);
  use(of, decided, +1, brought);
  use(of, current, -1, brought);
  current = std::move(decided);
  brought.pools.push_back(static_cast<std::uint32_t>(pool));
}

void scoreboard::use(const pool& of, const dns::pool_choice& choice, int change, effect& brought) {
  if (!has_one_in_use(of)) return;
  for (std::size_t f = 0; f < 2; ++f) {
    const auto& made = choice.families[f];
    if (made.alternatives.size() != 1 || made.alternatives.front().order.front() >= of.families[f].addresses.size())
      continue;
    for (const std::size_t t : of.families[f].addresses[made.alternatives.front().order.front()].targets) {
      const bool before = uses_[t] > 0;
      uses_[t] += static_cast<std::uint32_t>(change);
      const bool after = uses_[t] > 0;
      if (before != after) brought.in_use.emplace_back(t, after);
    }
  }
}

void scoreboard::note_answers(const pool& of, const dns::pool_choice& given, instant now,
                              std::map<std::string, instant>& ends) {
  for_each_server(of, given, [&](const std::string& server, std::uint32_t ttl) {
    instant& end = ends[server];
    end = std::max(end, now + std::chrono::seconds(ttl));
  });
}

std::set<std::string> scoreboard::answered() const {
  std::set<std::string> servers;
  for (std::size_t p = 0; p < pools_.size(); ++p)
    for_each_server(pools_[p], (*choices_)[p],
                    [&](const std::string& server, std::uint32_t) { servers.insert(server); });
  return servers;
}

std::optional<instant> scoreboard::answers_end(const std::string& server) const {
  const auto found = answers_end_.find(server);
  return found == answers_end_.end() ? std::nullopt : std::optional(found->second);
}

trace scoreboard::explain(std::size_t pool, instant now) const {
  trace told;
  std::vector<candidate> candidates[2];
  fill_candidates(pools_[pool], now, candidates);
  pool_memory copy = memories_[pool];
  static_cast<void>(choose(pools_[pool], candidates, by_, now, copy, &told));
  return told;
}

memory scoreboard::remember(instant now) const {
  memory known;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const measured& m = measured_[t];
    if (m.state.now() == standing::unknown || !m.state.since()) continue;
    memory::of_target kept;
    kept.state = m.state.now();
    kept.since = *m.state.since();
    kept.falls = m.state.fall_times();
    kept.reason = m.reason;
    if (const auto rtt = m.figures.smoothed()) kept.rtt = std::pair(*rtt, m.figures.variation());
    if (const auto smoothed = m.waiting.smoothed()) {
      kept.smoothed = *smoothed;
      kept.deviation = m.waiting.deviation();
      kept.penalty = m.waiting.penalty();
    }
    known.targets.emplace(targets_[t].key, std::move(kept));
  }
  for (std::size_t p = 0; p < pools_.size(); ++p) {
    for (std::size_t f = 0; f < 2; ++f) {
      if (const auto serving = memories_[p].families[f].latency.serving())
        known.serving.emplace(serving_key(pools_[p], f),
                              pools_[p].members[pools_[p].families[f].addresses[*serving].member].server);
    }
  }
  known.orders = orders_.all();
  known.answers_end = answers_end_;
  // Servers that the configuration no longer has would stay for ever.
  std::erase_if(known.answers_end, [&](const auto& end) { return end.second <= now; });
  // What is answered up to now may be kept for its TTL, whatever is decided next.
  for (std::size_t p = 0; p < pools_.size(); ++p) note_answers(pools_[p], (*choices_)[p], now, known.answers_end);
  return known;
}

memory scoreboard::hand_over(instant now) const {
  memory known = remember(now);
  for (std::size_t t = 0; t < targets_.size(); ++t) known.targets[targets_[t].key].whole = measured_[t];
  for (std::size_t p = 0; p < pools_.size(); ++p) known.pools.emplace(pools_[p].key, memories_[p]);
  return known;
}

void scoreboard::recall(const memory& known) {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const auto found = known.targets.find(targets_[t].key);
    if (found == known.targets.end()) continue;
    const memory::of_target& kept = found->second;
    measured& m = measured_[t];
    if (kept.whole) {
      m = *kept.whole;
      continue;
    }
    m.state.restore(kept.state, kept.since, kept.falls);
    if (kept.rtt) m.figures.restore(kept.rtt->first, kept.rtt->second);
    if (kept.smoothed) m.waiting.restore(*kept.smoothed, kept.deviation, kept.penalty);
    m.reason = kept.reason;
    m.remembered = true;
  }
  for (std::size_t p = 0; p < pools_.size(); ++p) {
    if (const auto whole = known.pools.find(pools_[p].key); whole != known.pools.end()) {
      memories_[p] = whole->second;
      continue;
    }
    for (std::size_t f = 0; f < 2; ++f) {
      const auto found = known.serving.find(serving_key(pools_[p], f));
      if (found == known.serving.end()) continue;
      const auto& addresses = pools_[p].families[f].addresses;
      for (std::size_t a = 0; a < addresses.size(); ++a)
        if (pools_[p].members[addresses[a].member].server == found->second) memories_[p].families[f].latency.restore(a);
    }
  }
  for (const auto& [server, order] : known.orders) orders_.set(server, order);
  answers_end_ = known.answers_end;
}

}  // namespace nearside::score
