// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/pools.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "agent/config/key_text.hpp"

namespace nearside::config {
namespace {

/// The port that a check is run on: the server's own, where the type has any.
std::uint16_t port_of(const check& c, const server& s) {
  if (c.type == check_type::icmp) return 0;
  return s.check_port != 0 ? s.check_port : c.port;
}

void mix(std::size_t& hash, std::size_t value) noexcept { hash = (hash ^ value) * 0x9e3779b97f4a7c15; }

}  // namespace

std::size_t pool_list::identity_hash::operator()(const target_identity& t) const noexcept {
  std::size_t hash = std::hash<boost::asio::ip::address>()(t.measured);
  mix(hash, t.check_text);
  mix(hash, t.port);
  mix(hash, std::hash<std::string>()(t.server));
  return hash ^ (hash >> 32);
}

pool_list::pool_list(const std::vector<check>& checks) : checks_(&checks) {
  std::unordered_map<std::string, std::size_t> known;
  for (const check& c : checks) {
    const auto [there, is_new] = known.emplace(key_text(c), texts_.size());
    if (is_new) texts_.push_back(there->first);
    text_of_.push_back(there->second);
  }
}

std::string pool_list::unique_label(const pooled_server& server, std::size_t family, std::size_t which) {
  const std::string& check = checks_->at(server.checks[which]).name;
  std::string label = server.from->name;
  if (family == 1 && server.from->families[0]) label += "/ipv6";
  if (which > 0) label += "/" + check;
  // Two names can measure one server by different checks that are the first of each.
  if (labels_.contains(label) && which == 0) label += "/" + check;
  // A check may be called "ipv6", or like a number: then a further number is all that tells two targets apart.
  std::string numbered = label;
  for (std::size_t number = 2; !labels_.insert(numbered).second; ++number)
    numbered = label + "/" + std::to_string(number);
  return numbered;
}

std::optional<std::size_t> pool_list::target_for(const pooled_server& server, std::size_t family, std::size_t which) {
  const std::size_t index = server.checks[which];
  const check& c = checks_->at(index);
  target_identity identity{
      text_of_.at(index), server.from->families.at(family)->measured, port_of(c, *server.from), {}};
  if (is_replaced(c, "{server}")) identity.server = server.from->name;
  if (const auto known = known_targets_.find(identity); known != known_targets_.end()) return known->second;
  if (targets_.size() == most_targets) return std::nullopt;

  score::target made;
  made.key = texts_.at(identity.check_text) + " address=" + identity.measured.to_string() +
             " at=" + std::to_string(identity.port);
  if (!identity.server.empty()) made.key += " server=" + identity.server;
  made.label = unique_label(server, family, which);
  made.server = server.from->name;
  made.check = c.name;
  made.health = c.health;
  made.interval = c.interval;
  probes_.push_back({index, identity.measured, identity.port});
  targets_.push_back(std::move(made));
  known_targets_.emplace(std::move(identity), targets_.size() - 1);
  return targets_.size() - 1;
}

/// Each check's text stands once and has a number after that: a pool of many servers would have it hundreds of times.
std::string pool_list::pool_key(const pool_wish& wish) const {
  std::string key = key_text(wish.rules);
  std::vector<std::size_t> texts;
  for (const pooled_server& server : wish.servers) {
    key += "\n" + key_text(server.as);
    for (const auto& family : server.from->families) {
      if (!family) continue;
      key += " address=" + family->address.to_string();
      if (server.checks.empty()) continue;
      key += " measured=" + family->measured.to_string();
    }
    for (const std::size_t index : server.checks) {
      const std::size_t text = text_of_.at(index);
      const auto known = std::find(texts.begin(), texts.end(), text);
      key += " check=" + std::to_string(known - texts.begin()) + "@" +
             std::to_string(port_of(checks_->at(index), *server.from));
      if (known == texts.end()) texts.push_back(text);
    }
  }
  for (const auto& address : wish.fallbacks) key += "\nfallback " + address.to_string();
  for (const std::size_t text : texts) key += "\n" + texts_.at(text);
  return key;
}

std::optional<std::size_t> pool_list::add(const pool_wish& wish) {
  std::string key = pool_key(wish);
  if (const auto known = known_pools_.find(key); known != known_pools_.end()) return known->second;

  score::pool made;
  made.key = key;
  made.label = wish.label;
  made.rules = wish.rules;
  for (const pooled_server& server : wish.servers) {
    made.members.push_back(server.as);
    for (std::size_t family = 0; family < server.from->families.size(); ++family) {
      if (!server.from->families.at(family)) continue;
      score::pool_address address{made.members.size() - 1, {}};
      for (std::size_t which = 0; which < server.checks.size(); ++which) {
        const auto target = target_for(server, family, which);
        if (!target) return std::nullopt;
        // Two checks of a server can be equal but for their names.
        if (std::find(address.targets.begin(), address.targets.end(), *target) == address.targets.end())
          address.targets.push_back(*target);
      }
      made.families[family].addresses.push_back(std::move(address));  // NOLINT(*-constant-array-index)
    }
  }
  for (const auto& address : wish.fallbacks) ++made.families[address.is_v6() ? 1 : 0].fallbacks;
  pools_.push_back(std::move(made));
  known_pools_.emplace(std::move(key), pools_.size() - 1);
  return pools_.size() - 1;
}

void pool_list::move_into(measuring& all) {
  all.targets = std::move(targets_);
  all.probes = std::move(probes_);
  all.pools = std::move(pools_);
}

}  // namespace nearside::config
