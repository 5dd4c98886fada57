// SPDX-License-Identifier: BSD-2-Clause
// The backbone node's side of the control socket: its verbs, and what `status` tells of it.
#include <boost/json/array.hpp>

#include "agent/admin/asker.hpp"
#include "agent/admin/mappings.hpp"
#include "agent/backbone/figures_json.hpp"
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
  std::size_t edges = 0, alive = 0;
  book_->for_each([&](const mapping::edge_state& edge) {
    ++edges;
    if (edge.state == mapping::liveness::alive) ++alive;
  });
  json::object told{{"edges", edges},
                    {"alive", alive},
                    {"rows", book_->rows().size()},
                    {"sites", book_->rows().sites_end()},
                    {"messages", backbone::messages_json(*book_, *server_, api_->unknown_targets())},
                    {"https", backbone::figures_json(*server_)},
                    {"store", backbone::figures_json(store_->count())},
                    {"port_checks", backbone::figures_json(*checks_)}};
  if (etcd_) told["etcd"] = backbone::figures_json(etcd_->count());
  return told;
}

}  // namespace nearside
