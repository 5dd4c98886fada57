// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/own_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "agent/score/shares.hpp"

namespace nearside::registration {
namespace {

/// Three digits behind the point say all that was measured.
double rounded(double value) { return std::round(value * 1000) / 1000; }

/// Servers by the number that the report gives them.
class numbering {
 public:
  explicit numbering(std::vector<std::string>& names) : names_(names) {}
  /// Nothing: the report has no room for another one.
  std::optional<std::uint32_t> of(const std::string& server) {
    const auto [there, fresh] = numbers_.emplace(server, names_.size());
    if (!fresh) return there->second;
    if (names_.size() == mapping::most_report_servers) {
      numbers_.erase(there);
      return std::nullopt;
    }
    names_.push_back(server);
    return there->second;
  }

 private:
  std::vector<std::string>& names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

/// An address that many pools have is told once, as its first check sees it.
using told_addresses = std::map<std::tuple<std::uint32_t, std::uint8_t>, bool>;

void add_figures(const score::scoreboard& board, const score::pool& of, score::instant now, numbering& servers,
                 told_addresses& told, mapping::report& to) {
  for (std::size_t f = 0; f < of.families.size(); ++f) {
    for (const score::pool_address& address : of.families[f].addresses) {
      const auto server = servers.of(of.members[address.member].server);
      const auto family = static_cast<std::uint8_t>(f == 0 ? 4 : 6);
      if (!server || !told.emplace(std::tuple(*server, family), true).second) continue;
      mapping::reported_figure figure;
      figure.server = *server;
      figure.family = family;
      figure.state = score::text_of(board.standing_of(address.targets));
      if (!address.targets.empty()) {
        const score::measured& m = board.of(address.targets.front());
        if (const auto rtt = m.figures.smoothed()) figure.rtt_ms = rounded(score::milliseconds_of(*rtt));
        figure.loss = rounded(m.figures.loss(now));
        if (const auto newest = m.figures.newest()) figure.age_s = rounded(score::seconds_of(now - *newest));
      }
      to.figures.push_back(std::move(figure));
    }
  }
}

/// The servers that may stand first, the most frequent first, then those that only follow; with their shares.
std::optional<std::vector<std::pair<std::uint8_t, double>>> ranked(const score::pool::family& family,
                                                                   const dns::choice& made) {
  std::vector<std::pair<std::uint8_t, double>> rank;
  if (made.what == dns::choice::kind::nodata) return rank;
  if (made.what == dns::choice::kind::servfail) return std::nullopt;
  for (const dns::alternative& a : made.alternatives) {
    for (const std::uint8_t address : a.order) {
      const bool known = std::any_of(rank.begin(), rank.end(), [&](const auto& r) { return r.first == address; });
      // Behind the addresses of servers come those of fallbacks.
      if (!known && address < family.addresses.size())
        rank.emplace_back(address, score::share_of(made.alternatives, address));
    }
  }
  std::stable_sort(rank.begin(), rank.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (rank.size() > mapping::most_rank) rank.resize(mapping::most_rank);
  return rank.empty() ? std::nullopt : std::optional(std::move(rank));
}

void add_answer(const score::pool& of, std::size_t f, const dns::choice& made, const std::vector<std::string>& names,
                numbering& servers, mapping::report& to) {
  const auto& family = of.families[f];
  if (family.addresses.empty() || names.empty()) return;
  const auto rank = ranked(family, made);
  if (!rank) return;
  mapping::reported_answer answer;
  answer.names = names;
  answer.family = static_cast<std::uint8_t>(f == 0 ? 4 : 6);
  answer.ttl = made.ttl;
  for (const auto& [address, share] : *rank) {
    const auto server = servers.of(of.members[family.addresses[address].member].server);
    if (!server || std::find(answer.rank.begin(), answer.rank.end(), *server) != answer.rank.end()) continue;
    answer.rank.push_back(*server);
    answer.shares.push_back(static_cast<std::uint32_t>(std::lround(share * mapping::whole_share)));
  }
  // That the first always stands first goes without saying.
  if (std::count_if(answer.shares.begin(), answer.shares.end(), [](auto s) { return s > 0; }) <= 1)
    answer.shares.clear();
  to.answers.push_back(std::move(answer));
}

}  // namespace

std::vector<std::vector<std::string>> names_of_pools(const dns::zone_set& zones, std::size_t pools) {
  std::vector<std::vector<std::string>> names(pools);
  for (const dns::zone& zone : zones.zones()) {
    zone.for_each([&](const dns::name& owner, const dns::node& node) {
      for (const dns::rrset& set : node.rrsets) {
        if (set.pool >= pools || owner.is_wildcard()) continue;
        auto& those = names[set.pool];
        const std::string text = owner.lower().text();
        if (those.empty() || those.back() != text) those.push_back(text);
      }
    });
  }
  // The zones are walked in no order.
  std::size_t in_all = 0;
  for (auto& those : names) {
    std::sort(those.begin(), those.end());
    those.erase(std::unique(those.begin(), those.end()), those.end());
    if (!those.empty() && in_all < mapping::most_report_names)
      ++in_all;
    else
      those.clear();
  }
  for (auto& those : names) {
    if (those.empty()) continue;
    const std::size_t more = std::min(those.size() - 1, mapping::most_report_names - in_all);
    those.resize(1 + more);
    in_all += more;
  }
  return names;
}

mapping::report own_report(const score::scoreboard& board, const std::vector<std::vector<std::string>>& names,
                           score::instant now) {
  mapping::report made;
  numbering servers(made.servers);
  told_addresses told;
  for (std::size_t p = 0; p < board.pools().size() && p < names.size(); ++p) {
    const score::pool& of = board.pools()[p];
    add_figures(board, of, now, servers, told, made);
    for (std::size_t f = 0; f < of.families.size(); ++f)
      add_answer(of, f, (*board.choices())[p].families[f], names[p], servers, made);
  }
  return made;
}

}  // namespace nearside::registration
