// SPDX-License-Identifier: BSD-2-Clause
// A backbone node without DNS and without a kernel, for tests and measurements: the HTTPS server with the registration
// protocol, the registry, the store, sharing by etcd, and the port check, put together as the daemon does it. Prints
// one JSON object when it is ready, and answers each line of standard input with one: "sight LABEL ADDRESS", "edges",
// "rows", "counters", "tls" (reads the files again). Ends at the end of its input.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <sstream>

#include "agent/backbone/etcd.hpp"
#include "agent/backbone/figures_json.hpp"
#include "agent/backbone/port_check.hpp"
#include "agent/backbone/registration_api.hpp"
#include "agent/backbone/store.hpp"
#include "agent/https/server.hpp"
#include "agent/https/tls_context.hpp"
#include "agent/mapping/registry.hpp"

namespace {

using namespace nearside;
namespace asio = boost::asio;
namespace json = boost::json;
using mapping::instant;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct arguments {
  std::string listen = "127.0.0.1";
  std::uint16_t port = 0;
  std::string node = "b1.ns.lb.example.com.";
  std::string zone = "b1.who.lb.example.com.";
  std::string ca, certificate, key;
  std::string store;
  std::size_t store_octets = std::size_t{4} << 30U;
  std::size_t connections = 4096;
  std::size_t handshakes = 64;
  std::vector<std::string> etcd;
  std::string etcd_ca, etcd_user, etcd_password, etcd_prefix = "/nearside/edges/";
  std::uint16_t check_port = 0;  // 0: no port checks, and every edge answers
  std::vector<std::string> names{"www.lb.example.com."};
};

instant now() { return std::chrono::system_clock::now(); }

double seconds(instant when) { return std::chrono::duration<double>(when.time_since_epoch()).count(); }

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

mapping::registry_settings settings_of(const arguments& given) {
  mapping::registry_settings made;
  made.node = given.node;
  made.nonce_zone = given.zone;
  made.local_addresses = true;
  made.master.fill(7);  // so that a test in another language makes the same nonces
  return made;
}

class node {
 public:
  node(asio::io_context& io, const arguments& given)
      : io_(io), given_(given), book_(settings_of(given)), collect_(io), expiry_(io) {}

  void start() {
    if (given_.check_port != 0) start_checks();
    if (!given_.store.empty()) load();
    if (!given_.etcd.empty()) start_etcd();
    api_ = std::make_unique<backbone::registration_api>(book_, now, [this] { collect_soon(); });
    https::server_limits limits;
    limits.connections = given_.connections;
    limits.handshakes = given_.handshakes;
    server_ = https::server::make(io_.get_executor(), tls(), limits, [this](const https::request& asked) {
                return api_->answer(asked);
              }).value();
    asio::ip::tcp::acceptor acceptor(io_, {asio::ip::make_address(given_.listen), given_.port});
    const auto port = acceptor.local_endpoint().port();
    server_->listen(std::move(acceptor));
    std::cout << json::serialize(json::object{{"port", port}, {"loaded", loaded_}, {"load_ms", load_ms_}}) << std::endl;
    asio::co_spawn(io_, answer_lines(), asio::detached);
    collect_soon();
  }

 private:
  [[nodiscard]] https::tls_context tls() const {
    return https::server_context({given_.ca, given_.certificate, given_.key}).value();
  }

  void load() {
    backbone::store_settings settings;
    settings.file = given_.store;
    settings.most_octets = given_.store_octets;
    const auto begun = std::chrono::steady_clock::now();
    store_ = backbone::store::open(io_.get_executor(), settings).value();
    loaded_ =
        store_->load(now(), [this](mapping::edge_record&& record) { book_.adopt(std::move(record), true, now()); })
            .value()
            .records;
    load_ms_ = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
    at_leisure_ = true;
    collect();
    at_leisure_ = false;
  }

  void start_checks() {
    backbone::port_check_settings settings;
    settings.port = given_.check_port;
    checks_ = backbone::port_check::make(
                  io_.get_executor(), settings,
                  [this](mapping::edge_id edge, const asio::ip::address& address, const std::string& reason) {
                    book_.checked(edge, address, reason, now());
                    collect_soon();
                  })
                  .value();
    std::vector<dns::name> names;
    for (const auto& text : given_.names) names.push_back(dns::name::from_text(text).value());
    checks_->set_names(names);
  }

  void start_etcd() {
    backbone::etcd_settings settings;
    const auto tls = https::client_context({given_.etcd_ca, {}, {}, https::tls_version::tls12}).value();
    for (const auto& text : given_.etcd) {
      const auto colon = text.rfind(':');
      settings.endpoints.push_back(
          {text.substr(0, colon), static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))), {}, tls});
    }
    settings.user = given_.etcd_user;
    settings.password = given_.etcd_password;
    settings.prefix = given_.etcd_prefix;
    settings.node = given_.node;
    etcd_ = std::make_unique<backbone::etcd>(
        io_.get_executor(), settings,
        [this](std::string_view edge) -> const mapping::edge_record* {
          const auto* known = book_.find(edge);
          return known == nullptr ? nullptr : &known->record;
        },
        [this](mapping::edge_record&& record) {
          const std::string edge = record.edge;
          if (!book_.adopt(std::move(record), false, now())) return;
          // What another node has accepted is kept here as well.
          if (store_) store_->put(book_.find(edge)->record);
          collect_soon();
        });
    asio::co_spawn(io_, etcd_->run(), asio::detached);
  }

  // What many messages have changed within a millisecond is handed on together.
  void collect_soon() {
    if (collecting_) return;
    collecting_ = true;
    collect_.expires_after(std::chrono::milliseconds(1));
    collect_.async_wait([this](const boost::system::error_code& cancelled) {
      collecting_ = false;
      if (!cancelled) collect();
    });
  }

  void collect() {
    const auto changes = book_.take_changes();
    book_.rows().release(changes.rows.free_sites);
    for (const auto id : changes.records) {
      const auto* edge = book_.find(id);
      if (edge == nullptr) continue;
      if (store_) store_->put(edge->record);
      if (etcd_ && edge->record.accepted_by == given_.node) etcd_->put(edge->record.edge);
    }
    for (const auto id : changes.liveness) {
      const auto* edge = book_.find(id);
      const bool ended = edge == nullptr || edge->state == mapping::liveness::expired ||
                         edge->state == mapping::liveness::withdrawn || edge->state == mapping::liveness::unregistered;
      if (checks_ && ended) checks_->forget(id);
      if (checks_ && !ended) checks_->watch(id, edge->record.addresses, at_leisure_);
      if (!checks_ && !ended && edge->state == mapping::liveness::checking)
        for (const auto& address : std::vector(edge->record.addresses)) book_.checked(id, address, "", now());
    }
    expiry_.cancel();
    if (const auto next = book_.next_expiry()) {
      expiry_.expires_after(std::max<instant::duration>(*next - now(), std::chrono::milliseconds(10)));
      expiry_.async_wait([this](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        book_.expire(now());
        collect();
      });
    }
  }

  // ---- what the tests ask ----

  asio::awaitable<void> answer_lines() {
    asio::posix::stream_descriptor input(io_, ::dup(STDIN_FILENO));
    std::string lines;
    for (;;) {
      auto buffer = asio::dynamic_buffer(lines);
      const auto [failed, octets] = co_await asio::async_read_until(input, buffer, '\n', as_result);
      if (failed) break;
      const std::string line = lines.substr(0, octets - 1);
      lines.erase(0, octets);
      std::cout << json::serialize(answer(line)) << std::endl;
    }
    io_.stop();
  }

  json::value answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "sight") {
      std::string label, address;
      words >> label >> address;
      const auto seen = book_.verified(label);
      if (seen) book_.sighted(*seen, asio::ip::make_address(address), now());
      return json::object{{"verified", seen.has_value()}};
    }
    if (verb == "edges") return edges();
    if (verb == "rows") return json::object{{"rows", book_.rows().size()}};
    if (verb == "counters") return counters();
    if (verb == "tls") {
      server_->set_context(tls()).value();
      return json::object{};
    }
    return json::object{{"error", "unknown verb"}};
  }

  json::value edges() {
    json::object made;
    book_.for_each([&](const mapping::edge_state& edge) {
      json::array services;
      for (const auto& service : edge.services)
        services.emplace_back(json::object{
            {"address", service.address.to_string()}, {"answers", service.answers}, {"reason", service.reason}});
      made[edge.record.edge] =
          json::object{{"state", mapping::text_of(edge.state)},   {"sequence", edge.record.sequence},
                       {"accepted_by", edge.record.accepted_by},  {"expires", seconds(edge.record.expires)},
                       {"egresses", edge.record.egresses.size()}, {"reported", edge.reported.has_value()},
                       {"services", std::move(services)}};
    });
    return made;
  }

  json::value counters() {
    json::object made{{"cpu_seconds", cpu_seconds()},
                      {"messages", backbone::messages_json(book_, *server_, api_->unknown_targets())},
                      {"https", backbone::figures_json(*server_)}};
    if (store_) made["store"] = backbone::figures_json(store_->count());
    if (etcd_) made["etcd"] = backbone::figures_json(etcd_->count());
    if (checks_) made["port_checks"] = backbone::figures_json(*checks_);
    return made;
  }

  asio::io_context& io_;
  arguments given_;
  mapping::registry book_;
  std::unique_ptr<backbone::store> store_;
  std::unique_ptr<backbone::etcd> etcd_;
  std::unique_ptr<backbone::port_check> checks_;
  std::unique_ptr<backbone::registration_api> api_;
  std::shared_ptr<https::server> server_;
  asio::steady_timer collect_;
  asio::steady_timer expiry_;
  bool collecting_ = false;
  bool at_leisure_ = false;
  std::size_t loaded_ = 0;
  double load_ms_ = 0;
};

}  // namespace

int main(int count, char** words) {
  arguments given;
  CLI::App app("A backbone node for tests", "backbone_node");
  app.add_option("--listen", given.listen);
  app.add_option("--port", given.port);
  app.add_option("--node", given.node);
  app.add_option("--zone", given.zone);
  app.add_option("--ca", given.ca)->required();
  app.add_option("--certificate", given.certificate)->required();
  app.add_option("--key", given.key)->required();
  app.add_option("--store", given.store);
  app.add_option("--store-octets", given.store_octets);
  app.add_option("--connections", given.connections);
  app.add_option("--handshakes", given.handshakes);
  app.add_option("--etcd", given.etcd);
  app.add_option("--etcd-ca", given.etcd_ca);
  app.add_option("--etcd-user", given.etcd_user);
  app.add_option("--etcd-password", given.etcd_password);
  app.add_option("--etcd-prefix", given.etcd_prefix);
  app.add_option("--check-port", given.check_port);
  app.add_option("--names", given.names);
  CLI11_PARSE(app, count, words);
  try {
    spdlog::set_default_logger(spdlog::stderr_logger_st("backbone_node"));
    asio::io_context io(1);
    node all(io, given);
    all.start();
    io.run();
  } catch (const std::exception& why) {
    std::cerr << "backbone_node: " << why.what() << '\n';
    return 1;
  }
  return 0;
}
