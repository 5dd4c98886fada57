// SPDX-License-Identifier: BSD-2-Clause
// The daemon's side of the control socket: the verbs, and what `status` tells.
#include <unistd.h>

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "agent/admin/explain.hpp"
#include "agent/daemon.hpp"
#include "agent/dns/lookup.hpp"
#include "agent/version.hpp"

namespace nearside {
namespace json = boost::json;

namespace {

std::uint32_t serial_of(const dns::zone& zone) {
  // RFC 1035 3.3.13: SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM are the last 20 octets.
  const auto& data = zone.soa().rdatas.front();
  std::uint32_t serial = 0;
  for (std::size_t i = data.size() - 20; i < data.size() - 16; ++i) serial = serial << 8 | data[i];
  return serial;
}

json::array zones_json(const dns::zone_set& zones) {
  json::array all;
  for (const auto& zone : zones.zones())
    all.push_back(json::object{{"name", zone.apex().text()}, {"names", zone.size()}, {"serial", serial_of(zone)}});
  return all;
}

json::object publish_json(const dataplane::publish_stats& stats) {
  json::array notes;
  for (const auto& note : stats.notes) notes.emplace_back(note);
  return {{"names", stats.names},
          {"sets", stats.sets},
          {"small_images", stats.small_images},
          {"large_images", stats.large_images},
          {"names_added", stats.names_added},
          {"names_rebound", stats.names_rebound},
          {"names_removed", stats.names_removed},
          {"answers_changed", stats.answers_changed},
          {"images_written", stats.images_written},
          {"left_to_userland", stats.left_to_userland},
          {"answers_left", stats.answers_left},
          {"notes", std::move(notes)}};
}

json::object serve_json(const serve::counters& count, std::size_t connections) {
  json::object rcodes;
  for (std::size_t i = 0; i < count.rcodes.size(); ++i)
    if (count.rcodes[i] != 0) rcodes.emplace(std::to_string(i), count.rcodes[i]);
  return {{"udp_received", count.udp_received},   {"udp_answered", count.udp_answered},
          {"udp_ignored", count.udp_ignored},     {"udp_failed", count.udp_failed},
          {"tcp_accepted", count.tcp_accepted},   {"tcp_evicted", count.tcp_evicted},
          {"tcp_timed_out", count.tcp_timed_out}, {"tcp_broken", count.tcp_broken},
          {"tcp_received", count.tcp_received},   {"tcp_answered", count.tcp_answered},
          {"tcp_ignored", count.tcp_ignored},     {"tcp_connections", connections},
          {"truncated", count.truncated},         {"rcodes", std::move(rcodes)}};
}

}  // namespace

result<json::object> daemon::answer_control(const json::object& request) {
  const auto* verb = request.if_contains("verb");
  const std::string_view asked =
      verb != nullptr && verb->is_string() ? std::string_view(verb->get_string()) : std::string_view();
  if (asked == "status") return status();
  if (asked == "explain") return explain(request);
  if (asked == "servers") return balancer_->servers(request);
  if (asked == "administer") return balancer_->administer(request);
  if (asked == "mappings" || asked == "edges") {
    if (!backbone_) return error{errc::unsupported, "this is an edge: mappings and edges are known at backbone nodes"};
    return asked == "edges" ? backbone_->edges(request) : backbone_->mappings(request);
  }
  if (asked == "egress") {
    if (!edge_) return error{errc::unsupported, "this node registers nowhere: it has no [registration]"};
    return edge_->status();
  }
  if (asked == "withdraw") {
    if (!edge_) return error{errc::unsupported, "this node registers nowhere: it has no [registration]"};
    spawn(edge_->withdraw());
    return json::object{{"withdrawing", true}};
  }
  if (asked == "reload") {
    if (auto done = reload(); !done) return done.error();
    return json::object{{"reloaded", true}};
  }
  return error{errc::invalid,
               "the verbs are status, explain, servers, administer, mappings, edges, egress, withdraw and reload"};
}

result<json::object> daemon::explain(const json::object& request) const {
  auto told = admin::explain(answers_->in_force(), kernel_->tables(), request);
  if (!told) return told;
  // The name made sense to explain(), so it does here.
  const auto& asked = request.at("name").as_string();
  const auto qname = dns::name::from_text({asked.data(), asked.size()});
  if (const auto pool = dns::pool_of(*current_.zones, *qname); pool != dns::no_pool)
    (*told)["pool"] = balancer_->explain(pool);
  if (backbone_) {
    auto why = backbone_->explain(*qname, request);
    if (!why) return why;
    if (!why->empty()) (*told)["mapping"] = *std::move(why);
  }
  return told;
}

json::object daemon::status() const {
  const auto uptime = std::chrono::steady_clock::now() - started_;
  json::array listening;
  for (const auto& point : listeners_->points()) listening.emplace_back(serve::to_string(point));
  json::value reloaded(nullptr);
  if (last_reload_) {
    const auto when = std::chrono::duration_cast<std::chrono::seconds>(last_reload_->when.time_since_epoch());
    reloaded =
        json::object{{"time", when.count()},
                     {"ok", !last_reload_->problem},
                     {"error", last_reload_->problem ? json::value(*last_reload_->problem) : json::value(nullptr)}};
  }
  const json::value backbone = backbone_ ? json::value(backbone_->status()) : json::value(nullptr);
  const json::value registration = edge_ ? json::value(edge_->status()) : json::value(nullptr);
  return {{"version", NEARSIDE_VERSION},
          {"pid", ::getpid()},
          {"uptime_seconds", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
          {"config", config_path_.string()},
          {"pins", pins_.string()},
          {"generation", kernel_->tables().config().generation},
          {"zones", zones_json(*current_.zones)},
          {"listen", std::move(listening)},
          {"lease_remaining_ms", kernel_->lease_remaining().count()},
          {"replies", kernel_->route_reason()},
          {"published", publish_json(kernel_->last_publish())},
          {"measuring", balancer_->status()},
          {"backbone", backbone},
          {"registration", registration},
          {"last_reload", std::move(reloaded)},
          {"serve", serve_json(answers_->count, listeners_->connections())}};
}

}  // namespace nearside
