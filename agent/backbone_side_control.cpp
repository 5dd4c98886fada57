// SPDX-License-Identifier: BSD-2-Clause
// The backbone node's side of the control socket: its verbs, and what `status` tells of it.
#include <boost/json/array.hpp>

#include "agent/admin/asker.hpp"
#include "agent/admin/mappings.hpp"
#include "agent/backbone_side.hpp"

namespace nearside {
namespace json = boost::json;

namespace {

mapping::instant wall_now() { return std::chrono::system_clock::now(); }

}  // namespace

result<json::object> backbone_side::mappings(const json::object& request) const {
  return admin::mappings_json(*book_, request, wall_now());
}

result<json::object> backbone_side::edges(const json::object& request) const {
  return admin::edges_json(*book_, request, wall_now());
}

result<json::object> backbone_side::explain(const dns::name& name, const json::object& request) const {
  if (!request.contains("resolver")) return json::object{};
  const auto who = admin::parse_asker(request);
  if (!who) return who.error();
  auto told = directory_->explain(name, who->resolver, who->client);
  // A name that is none of these is explained by what its zone has.
  if (!told) return told.error().kind == errc::not_found ? result<json::object>(json::object{}) : told.error();
  return told;
}

json::object backbone_side::status() const {
  const auto& book = book_->count();
  const auto& https = server_->count();
  json::object refused;
  for (std::size_t i = 0; i < mapping::refusal_count; ++i) {
    const auto word = static_cast<mapping::refusal>(i);
    std::uint64_t count = book.refused[i];
    // What the HTTPS server has refused never came to the book.
    if (word == mapping::refusal::too_large) count += https.too_large;
    if (word == mapping::refusal::malformed) count += https.malformed;
    refused.emplace(mapping::text_of(word), count);
  }
  const auto store = store_->count();
  const auto& checks = checks_->count();
  std::size_t edges = 0, alive = 0;
  book_->for_each([&](const mapping::edge_state& edge) {
    ++edges;
    if (edge.state == mapping::liveness::alive) ++alive;
  });
  json::object told{{"edges", edges},
                    {"alive", alive},
                    {"rows", book_->rows().size()},
                    {"sites", book_->rows().sites_end()},
                    {"messages", json::object{{"registered", book.registered},
                                              {"renewed", book.renewed},
                                              {"withdrawn", book.withdrawn},
                                              {"reported", book.reported},
                                              {"refused", std::move(refused)},
                                              {"egresses_refused", book.egresses_refused},
                                              {"sightings", book.sightings}}},
                    {"https", json::object{{"connections", server_->connections()},
                                           {"accepted", https.accepted},
                                           {"handshakes", https.handshakes},
                                           {"resumed", https.resumed},
                                           {"no_certificate", https.no_certificate},
                                           {"bad_certificate", https.bad_certificate},
                                           {"failed_handshake", https.failed_handshake},
                                           {"timed_out", https.timed_out},
                                           {"requests", https.requests},
                                           {"malformed", https.malformed},
                                           {"too_large", https.too_large}}},
                    {"store", json::object{{"records", store.records},
                                           {"waiting", store.waiting},
                                           {"written", store.written},
                                           {"failed", store.failed},
                                           {"octets", store.octets},
                                           {"error", store.last_error}}},
                    {"port_checks", json::object{{"addresses", checks_->addresses()},
                                                 {"sent", checks.sent},
                                                 {"good", checks.good},
                                                 {"failed", checks.failed},
                                                 {"unsent", checks.unsent},
                                                 {"late", checks.late}}}};
  if (etcd_) {
    const auto shared = etcd_->count();
    told["etcd"] =
        json::object{{"connected", shared.connected}, {"endpoint", shared.endpoint}, {"error", shared.last_error},
                     {"waiting", shared.waiting},     {"written", shared.written},   {"arrived", shared.arrived},
                     {"malformed", shared.malformed}, {"refused", shared.refused}};
  }
  return told;
}

}  // namespace nearside
