// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/report_answers.hpp"

#include <algorithm>
#include <numeric>

#include "agent/score/shares.hpp"

namespace nearside::backbone {

using mapping::edge_state;
using mapping::report;

namespace {

constexpr std::size_t no_records = SIZE_MAX;

}  // namespace

report_answers::report_answers(std::span<const config::mapped_name> names, std::span<const score::pool> pools) {
  std::unordered_map<std::uint32_t, std::size_t> known;  // by pool
  for (const config::mapped_name& n : names) {
    numbers_.emplace(n.owner.lower().text(), static_cast<std::uint32_t>(names_.size()));
    names_.push_back({no_records, n.addresses, n.ttl});
    if (n.pool >= pools.size()) continue;
    const auto [there, is_new] = known.try_emplace(n.pool, records_.size());
    names_.back().pool = there->second;
    if (!is_new) continue;
    const score::pool& pool = pools[n.pool];
    records& made = records_.emplace_back();
    for (std::size_t family = 0; family < pool.families.size(); ++family) {
      const auto& addresses = pool.families.at(family).addresses;
      for (std::size_t i = 0; i < addresses.size(); ++i)
        made.by_server.at(family).emplace(pool.members[addresses[i].member].server, static_cast<std::uint8_t>(i));
      made.count.at(family) = static_cast<std::uint8_t>(addresses.size());
    }
  }
}

std::optional<dns::pool_choice> report_answers::of(const edge_state& edge, std::uint32_t mapped) const {
  if (!edge.reported || mapped >= names_.size() || names_[mapped].pool == no_records) return std::nullopt;
  const auto& by_name = index_of(edge).by_name;
  const auto place =
      std::lower_bound(by_name.begin(), by_name.end(), mapped, [](const auto& a, auto b) { return a.first < b; });
  if (place == by_name.end() || place->first != mapped) return std::nullopt;
  const name& n = names_[mapped];
  dns::pool_choice made;
  bool is_told = false;
  for (std::size_t family = 0; family < made.families.size(); ++family) {
    const std::uint8_t count = records_[n.pool].count.at(family);
    if (auto told = choice_of(*edge.reported, place->second.at(family), family, n)) {
      is_told = true;
      made.families.at(family) = std::move(*told);
    } else if (count > 0) {
      std::vector<std::uint8_t> all(count);
      std::iota(all.begin(), all.end(), std::uint8_t{0});
      made.families.at(family) = {dns::choice::kind::answer, false, std::max(n.ttl, 1U), {{std::move(all)}}};
    }
  }
  return is_told ? std::optional(std::move(made)) : std::nullopt;
}

std::optional<dns::choice> report_answers::choice_of(const report& from, std::int32_t answer, std::size_t family,
                                                     const name& of) const {
  if (answer == not_there) return std::nullopt;
  const mapping::reported_answer& told = from.answers[static_cast<std::size_t>(answer)];
  dns::choice made;
  made.ttl = std::clamp(told.ttl, 1U, std::max(of.ttl, 1U));
  if (told.rank.empty()) return made;  // NODATA
  const auto& by_server = records_[of.pool].by_server.at(family);
  dns::alternative one;
  std::vector<score::share> first;
  for (std::size_t i = 0; i < told.rank.size(); ++i) {
    const std::uint32_t server = told.rank[i];
    const auto record = server < from.servers.size() ? by_server.find(from.servers[server]) : by_server.end();
    if (record == by_server.end()) continue;  // a server that we have not been told of
    if (std::find(one.order.begin(), one.order.end(), record->second) != one.order.end()) continue;
    one.order.push_back(record->second);
    if (i < told.shares.size() && told.shares[i] > 0) first.push_back({record->second, told.shares[i]});
  }
  if (one.order.empty()) return std::nullopt;
  made.what = dns::choice::kind::answer;
  const std::size_t addresses = of.addresses == 0 ? one.order.size() : of.addresses;
  if (first.size() > 1) {
    made.alternatives = score::rotation(first, addresses);
    return made;
  }
  one.order.resize(std::min(one.order.size(), addresses));
  made.alternatives.push_back(std::move(one));
  return made;
}

const report_answers::index& report_answers::index_of(const edge_state& edge) const {
  index& found = found_[edge.id];
  if (found.sequence == edge.report_sequence && !found.by_name.empty()) return found;
  std::unordered_map<std::uint32_t, places> by_name;
  const auto& answers = edge.reported->answers;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (const std::string& told : answers[i].names) {
      const auto number = numbers_.find(told);
      if (number == numbers_.end()) continue;
      auto& at = by_name.try_emplace(number->second, places{not_there, not_there}).first->second;
      at.at(answers[i].family == 6 ? 1 : 0) = static_cast<std::int32_t>(i);
    }
  }
  found.by_name.assign(by_name.begin(), by_name.end());
  std::sort(found.by_name.begin(), found.by_name.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  found.sequence = edge.report_sequence;
  return found;
}

}  // namespace nearside::backbone
