// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/status.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <optional>

namespace nearside::registration {
namespace json = boost::json;
using mapping::discovery;
using mapping::registrar;
using time_point = std::chrono::steady_clock::time_point;

namespace {

json::value milliseconds_of(const std::optional<std::chrono::microseconds>& time) {
  return time ? json::value(static_cast<double>(time->count()) / 1000) : json::value(nullptr);
}

/// Seconds with one decimal.
json::value seconds_between(const std::optional<time_point>& earlier, const std::optional<time_point>& later) {
  if (!earlier || !later) return nullptr;
  return std::round(std::chrono::duration<double>(*later - *earlier).count() * 10) / 10;
}

json::array texts(const std::vector<std::string>& from) {
  json::array all;
  for (const std::string& one : from) all.emplace_back(one);
  return all;
}

/// What a backbone node thinks of an egress.
json::object standing(const discovery::egress& egress, const mapping::prefix& key, mapping::backbone_id id,
                      const node_status& node, time_point now) {
  json::object one{{"name", node.name}, {"state", "pending"}, {"reason", ""}, {"proof_age_s", nullptr}};
  if (const auto shown = egress.proofs.find(id); shown != egress.proofs.end())
    one["proof_age_s"] = seconds_between(shown->second.seen, now);
  if (node.machine->where() != registrar::state::registered) {
    one["reason"] = "not registered";
    return one;
  }
  for (const auto& verdict : node.machine->verdicts()) {
    if (mapping::key_of(verdict.address) != key) continue;
    one["state"] = verdict.accepted ? "accepted" : "refused";
    one["reason"] = verdict.reason;
  }
  return one;
}

json::object status_of_node(const node_status& node, time_point now) {
  const registrar& machine = *node.machine;
  const bool known = machine.where() == registrar::state::registered;
  json::object one{{"name", node.name},
                   {"server", node.server},
                   {"state", text_of(machine.where())},
                   {"error", machine.error_text()},
                   {"failures", machine.failures()},
                   {"sequence", machine.sequence()},
                   {"lease_s", known ? seconds_between(now, machine.lease_until()) : json::value(nullptr)},
                   {"answered_s", seconds_between(machine.answered_at(), now)},
                   {"reported_s", seconds_between(machine.reported_at(), now)},
                   {"nonce_zone", nullptr},
                   {"ttl", nullptr},
                   {"servers", json::array()}};
  if (const auto& answer = machine.answer()) {
    one["nonce_zone"] = answer->nonce_zone;
    one["ttl"] = answer->ttl;
    one["servers"] = texts(answer->default_servers);
  }
  return one;
}

}  // namespace

json::object status_of(const discovery& found, std::span<const node_status> nodes, time_point now) {
  json::array resolvers;
  for (const auto& one : found.resolvers())
    resolvers.push_back(json::object{{"address", one.address.to_string()},
                                     {"port", one.port},
                                     {"source", text_of(one.from)},
                                     {"rtt_ms", milliseconds_of(found.rtt(one.address))}});
  json::array egresses;
  for (const auto& [key, egress] : found.egresses()) {
    std::optional<std::chrono::microseconds> nearest;
    json::array through;
    for (const auto& [resolver, seen] : egress.through) {
      through.emplace_back(resolver.to_string());
      const auto far = found.rtt(resolver);
      if (far) nearest = nearest ? std::min(*nearest, *far) : *far;
    }
    json::array standings;
    for (std::size_t id = 0; id < nodes.size(); ++id)
      standings.push_back(standing(egress, key, static_cast<mapping::backbone_id>(id), nodes[id], now));
    egresses.push_back(json::object{{"address", egress.address.to_string()},
                                    {"prefix", mapping::text_of(key)},
                                    {"age_s", seconds_between(egress.seen, now)},
                                    {"known_s", seconds_between(egress.first_seen, now)},
                                    {"rtt_ms", milliseconds_of(nearest)},
                                    {"resolvers", std::move(through)},
                                    {"backbones", std::move(standings)}});
  }
  const auto lanes = found.lanes();
  json::array backbones;
  for (std::size_t id = 0; id < nodes.size(); ++id) {
    json::object one = status_of_node(nodes[id], now);
    json::array asking;
    for (const auto& lane : lanes) {
      if (lane.backbone != id) continue;
      asking.push_back(json::object{{"resolver", lane.resolver.to_string()},
                                    {"family", lane.family},
                                    {"asked", lane.asked},
                                    {"answered", lane.answered},
                                    {"burst", lane.in_burst},
                                    {"error", lane.error}});
    }
    one["asking"] = std::move(asking);
    backbones.push_back(std::move(one));
  }
  return {{"resolvers", std::move(resolvers)}, {"egresses", std::move(egresses)}, {"backbones", std::move(backbones)}};
}

}  // namespace nearside::registration
