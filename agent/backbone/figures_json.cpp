// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/figures_json.hpp"

namespace nearside::backbone {

namespace json = boost::json;

json::object messages_json(const mapping::registry& book, const https::server& server, std::uint64_t unknown_targets) {
  const auto& count = book.count();
  const auto& https = server.count();
  json::object refused;
  for (std::size_t i = 0; i < mapping::refusal_count; ++i) {
    const auto word = static_cast<mapping::refusal>(i);
    std::uint64_t all = count.refused[i];
    if (word == mapping::refusal::too_large) all += https.too_large;
    if (word == mapping::refusal::malformed) all += https.malformed;
    refused.emplace(mapping::text_of(word), all);
  }
  refused["unknown_target"] = unknown_targets;
  return {{"registered", count.registered}, {"renewed", count.renewed},
          {"withdrawn", count.withdrawn},   {"reported", count.reported},
          {"refused", std::move(refused)},  {"egresses_refused", count.egresses_refused},
          {"sightings", count.sightings}};
}

json::object figures_json(const https::server& server) {
  const auto& count = server.count();
  return {{"connections", server.connections()},
          {"accepted", count.accepted},
          {"evicted", count.evicted},
          {"crowded", count.crowded},
          {"handshakes", count.handshakes},
          {"resumed", count.resumed},
          {"no_certificate", count.no_certificate},
          {"bad_certificate", count.bad_certificate},
          {"failed_handshake", count.failed_handshake},
          {"timed_out", count.timed_out},
          {"requests", count.requests},
          {"malformed", count.malformed},
          {"too_large", count.too_large}};
}

json::object figures_json(const store::figures& now) {
  return {{"records", now.records},           {"waiting", now.waiting}, {"written", now.written},
          {"transactions", now.transactions}, {"failed", now.failed},   {"octets", now.octets},
          {"error", now.last_error}};
}

json::object figures_json(const port_check& checks) {
  const auto& count = checks.count();
  return {{"addresses", checks.addresses()}, {"sent", count.sent}, {"received", count.received},
          {"foreign", count.foreign},        {"good", count.good}, {"failed", count.failed},
          {"unsent", count.unsent},          {"late", count.late}};
}

json::object figures_json(const etcd::figures& now) {
  return {{"connected", now.connected}, {"endpoint", now.endpoint}, {"error", now.last_error},
          {"waiting", now.waiting},     {"written", now.written},   {"spared", now.spared},
          {"arrived", now.arrived},     {"own", now.own},           {"malformed", now.malformed},
          {"refused", now.refused},     {"lists", now.lists},       {"sessions", now.sessions}};
}

}  // namespace nearside::backbone
