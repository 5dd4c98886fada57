// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone_side.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <exception>

#include "agent/backbone/nonce_zone.hpp"
#include "agent/backbone/secret_file.hpp"
#include "agent/backbone_config.hpp"

namespace nearside {
namespace asio = boost::asio;

namespace {

using boost::system::error_code;

mapping::instant wall_now() { return std::chrono::system_clock::now(); }

result<asio::ip::tcp::acceptor> bind(const asio::any_io_executor& executor, const config::service_point& where) {
  const asio::ip::tcp::endpoint at(where.address, where.port);
  const std::string doing = "registrations at " + where.address.to_string() + " port " + std::to_string(where.port);
  asio::ip::tcp::acceptor acceptor(executor);
  error_code failed;
  const auto refused = [&] { return system_error(failed.value(), doing); };
  if (acceptor.open(at.protocol(), failed); failed) return refused();
  if (acceptor.set_option(asio::socket_base::reuse_address(true), failed); failed) return refused();
  if (at.protocol() == asio::ip::tcp::v6())
    if (acceptor.set_option(asio::ip::v6_only(true), failed); failed) return refused();
  if (acceptor.bind(at, failed); failed) return refused();
  if (acceptor.listen(asio::socket_base::max_listen_connections, failed); failed) return refused();
  return acceptor;
}

}  // namespace

result<std::unique_ptr<backbone_side>> backbone_side::open(const asio::any_io_executor& executor,
                                                           const config::loaded& from, news_handler on_news) {
  std::unique_ptr<backbone_side> made(new backbone_side(executor));
  const config::settings& options = from.options;
  made->on_news_ = std::move(on_news);
  const auto master = backbone::secret_from(options.state.directory / "nonce.secret");
  if (!master) return master.error();
  made->master_ = *master;
  made->book_ = std::make_unique<mapping::registry>(registry_settings_of(from, *master));
  auto checks = backbone::port_check::make(
      executor, port_check_settings_of(*options.backbone, options.answering.port),
      [side = made.get()](mapping::edge_id edge, const asio::ip::address& address, const std::string& reason) {
        side->book_->checked(edge, address, reason, wall_now());
        side->settle_soon();
      });
  if (!checks) return checks.error();
  made->checks_ = std::move(*checks);
  if (auto loaded = made->load_store(options); !loaded) return loaded.error();
  if (auto opened = made->open_server(*options.backbone); !opened) return opened.error();
  if (auto opened = made->open_etcd(from); !opened) return opened.error();
  auto where = geo_of(*options.backbone);
  if (!where) return where.error();
  made->put_in_force(from, std::move(*where));
  return made;
}

backbone_side::~backbone_side() = default;

result<void> backbone_side::load_store(const config::settings& options) {
  auto opened = backbone::store::open(executor_, {.file = options.state.directory / "edges.mdb"});
  if (!opened) return opened.error();
  store_ = std::move(*opened);
  const auto began = std::chrono::steady_clock::now();
  const auto now = wall_now();
  // Used at once: a backbone node that comes back refers as before; the port checks of the first seconds correct it.
  const auto read =
      store_->load(now, [&](mapping::edge_record&& record) { book_->adopt(std::move(record), true, now); });
  if (!read) {
    // It has been moved away and is begun anew; edges will register again.
    spdlog::error("edges of before lost error=\"{}\"", read.error().message);
    return {};
  }
  spdlog::info("edges of before records={} expired={} rows={} took={}ms", read->records, read->expired,
               book_->rows().size(),
               std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count());
  return {};
}

result<void> backbone_side::open_server(const config::backbone_settings& options) {
  api_ = std::make_unique<backbone::registration_api>(*book_, wall_now, [this] { settle_soon(); });
  auto tls = https::server_context(tls_files_of(options.tls));
  if (!tls) return tls.error();
  auto made = https::server::make(executor_, *tls, registration_limits_of(options),
                                  [this](const https::request& asked) { return api_->answer(asked); });
  if (!made) return made.error();
  server_ = std::move(*made);
  for (const auto& where : options.registration_listen) {
    auto acceptor = bind(executor_, where);
    if (!acceptor) return acceptor.error();
    server_->listen(std::move(*acceptor));
  }
  return {};
}

result<void> backbone_side::open_etcd(const config::loaded& from) {
  if (from.options.backbone->etcd.endpoints.empty()) return {};
  auto settings = etcd_settings_of(from);
  if (!settings) return settings.error();
  const auto ours = [this](std::string_view edge) -> const mapping::edge_record* {
    const mapping::edge_state* known = book_->find(edge);
    return known == nullptr ? nullptr : &known->record;
  };
  const auto arrived = [this](mapping::edge_record&& record) {
    const std::string edge = record.edge;
    if (!book_->adopt(std::move(record), false, wall_now())) return;
    // What others have accepted outlives a restart as well.
    if (const mapping::edge_state* known = book_->find(edge)) store_->put(known->record);
    settle_soon();
  };
  etcd_ = std::make_unique<backbone::etcd>(executor_, std::move(*settings), ours, arrived);
  return {};
}

void backbone_side::put_in_force(const config::loaded& from, std::shared_ptr<const backbone::geo> where) {
  options_ = *from.options.backbone;
  set_prefix_table(options_.prefix_table);
  directory_ = std::make_shared<backbone::directory>(directory_settings_of(from), *book_, wall_now);
  directory_->serve(std::make_shared<backbone::nonce_zone>(nonce_zone_settings_of(from, master_), *book_, wall_now));
  if (where) {
    backbone::edge_map edges;
    for (const config::known_edge& edge : options_.edges)
      if (edge.location) edges.put(book_->number_of(edge.name), *edge.location);
    directory_->locate_by([where = std::move(where), edges = std::move(edges),
                           book = book_.get()](const asio::ip::address& address) -> std::vector<mapping::edge_id> {
      const auto at = where->find(address);
      return at ? edges.nearest(*at, *book) : std::vector<mapping::edge_id>();
    });
  }
  std::vector<dns::name> names;
  std::uint32_t ttl = 0;
  for (const auto& mapped : from.mapped) {
    names.push_back(mapped.owner);
    ttl = std::max(ttl, mapped.referral_ttl);
  }
  checks_->set_names(names);
  book_->tell_servers([directory = directory_](const mapping::edge_state& edge,
                                               const mapping::prefix* who) { return directory->servers_of(edge, who); },
                      ttl);
}

// Rows of the operator's table that stay are put again, which changes nothing; the others go.
void backbone_side::set_prefix_table(const std::vector<config::table_row>& rows) {
  std::map<std::pair<mapping::prefix, mapping::edge_id>, std::uint32_t> wanted;
  for (const config::table_row& row : rows)
    for (std::size_t rank = 0; rank < row.edges.size(); ++rank)
      wanted.emplace(std::pair(row.who, book_->number_of(row.edges[rank])), static_cast<std::uint32_t>(rank));
  for (const auto& [key, rank] : table_)
    if (!wanted.contains(key)) book_->rows().erase(key.first, key.second, mapping::source::table);
  for (const auto& [key, rank] : wanted) {
    mapping::claim near;
    near.edge = key.second;
    near.from = mapping::source::table;
    near.rank = rank;
    book_->rows().put(key.first, near);
  }
  table_ = std::move(wanted);
}

void backbone_side::start() {
  running_ = true;
  if (etcd_) {
    auto on_end = [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    };
    asio::co_spawn(executor_, etcd_->run(), asio::bind_cancellation_slot(end_etcd_.slot(), on_end));
  }
  settle();
}

void backbone_side::stop() {
  running_ = false;
  watching_.cancel();
  expiry_.cancel();
  server_->close();
  end_etcd_.emit(asio::cancellation_type::terminal);
}

void backbone_side::settle_soon() {
  if (settling_ || !running_) return;
  settling_ = true;
  asio::post(executor_, [this, alive = std::weak_ptr(self_)] {
    if (!alive.expired() && running_) settle();
  });
}

// First the answers, then everything else.
void backbone_side::settle() {
  settling_ = false;
  const auto changed = book_->take_changes();
  // At the start the directory has just been made of all there is.
  if (settled_) {
    directory_->edges_changed(changed.liveness);
    directory_->rows_changed(changed.rows.rows);
  }
  auto of = directory_->sites_changed_by(changed.liveness);
  news told{std::move(of.theirs), std::move(of.lonely), changed.rows.rows, changed.rows.free_sites};
  told.sites.insert(told.sites.end(), changed.rows.new_sites.begin(), changed.rows.new_sites.end());
  // Whoever lives shares the clients that no row covers.
  if (!changed.liveness.empty()) told.sites.push_back(mapping::default_site);
  // The first time also where there is nothing: the kernel may have what an earlier agent left.
  if (!settled_ || !told.sites.empty() || !told.rows.empty() || !told.free_sites.empty()) on_news_(told);

  if (settled_) {
    for (const mapping::edge_id edge : changed.liveness) {
      if (const mapping::edge_state* known = book_->find(edge))
        spdlog::info("edge name={} state={}", known->record.edge, mapping::text_of(known->state));
      watch(edge, false);
    }
  } else {
    unwatched_ = changed.liveness;
    watch_next();
  }
  for (const mapping::edge_id edge : changed.records) {
    const mapping::edge_state* known = book_->find(edge);
    if (known == nullptr) continue;
    store_->put(known->record);
    if (etcd_) etcd_->put(known->record.edge);
  }
  settled_ = true;
  wait_for_expiry();
}

void backbone_side::watch(mapping::edge_id edge, bool at_leisure) {
  const mapping::edge_state* known = book_->find(edge);
  if (known != nullptr && mapping::is_asked(known->state))
    checks_->watch(edge, known->record.addresses, at_leisure);
  else
    checks_->forget(edge);
}

// The many that a restart brings: told in one line, asked one after the other, a thousand at a time, for queries wait.
void backbone_side::watch_next() {
  constexpr std::size_t at_once = 1000;
  for (std::size_t i = 0; i < at_once && !unwatched_.empty(); ++i) {
    watch(unwatched_.back(), true);
    unwatched_.pop_back();
  }
  if (unwatched_.empty()) return;
  watching_.expires_after({});
  watching_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) watch_next();
  });
}

void backbone_side::wait_for_expiry() {
  const auto next = book_->next_expiry();
  if (!next || !running_) return;
  // The wall clock may be set meanwhile, so it is looked at again after a minute at the latest.
  const auto wait = std::clamp<std::chrono::system_clock::duration>(*next - wall_now(), std::chrono::milliseconds(10),
                                                                    std::chrono::minutes(1));
  expiry_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(wait));
  expiry_.async_wait([this, alive = std::weak_ptr(self_)](const error_code& cancelled) {
    if (cancelled || alive.expired() || !running_) return;
    book_->expire(wall_now());
    settle();
  });
}

bool backbone_side::nearest_lives(mapping::site_id site) const {
  const auto edges = book_->rows().edges_of(site);
  return !edges.empty() && book_->alive(edges.front());
}

std::vector<asio::ip::address> backbone_side::addresses_of(mapping::site_id site) const {
  std::vector<asio::ip::address> found;
  const auto edges = book_->rows().edges_of(site);
  const mapping::edge_state* first = edges.empty() ? nullptr : book_->find(edges.front());
  if (first == nullptr) return found;
  for (const bool six : {false, true}) {
    const auto& all = first->record.addresses;
    const auto one = std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.is_v6() == six; });
    if (one != all.end()) found.push_back(*one);
  }
  return found;
}

// ---- reload ----

result<void> backbone_side::reload(const config::loaded& next) {
  const config::backbone_settings& options = *next.options.backbone;
  auto where = geo_of(options);
  if (!where) return where.error();
  auto tls = https::server_context(tls_files_of(options.tls));
  if (!tls) return tls.error();
  if (auto set = server_->set_context(std::move(*tls)); !set) return set.error();
  const auto stays = [](const char* what) { spdlog::warn("{} stays as it was hint=\"restart the agent\"", what); };
  if (options.registration_listen != options_.registration_listen) stays("backbone.registration_listen");
  if (options.nonce_zone != options_.nonce_zone) stays("backbone.nonce_zone");
  if (!(options.etcd == options_.etcd)) stays("backbone.etcd");
  server_->set_limits(registration_limits_of(options));
  book_->configure(claim_settings_of(options));
  checks_->set_settings(port_check_settings_of(options, next.options.answering.port));
  const auto listening = options_.registration_listen;
  put_in_force(next, std::move(*where));
  options_.registration_listen = listening;
  settle();
  return {};
}

}  // namespace nearside
