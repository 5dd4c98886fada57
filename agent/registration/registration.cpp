// SPDX-License-Identifier: BSD-2-Clause
#include "agent/registration/registration.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <exception>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <variant>

#include "agent/https/client.hpp"
#include "agent/mapping/deflate.hpp"
#include "agent/mapping/record.hpp"
#include "agent/registration/ask.hpp"
#include "agent/registration/status.hpp"

namespace nearside::registration {
namespace asio = boost::asio;
using asio::ip::address;
using mapping::backbone_id;
using mapping::message_kind;
using mapping::registrar;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
/// A body from this size on is worth the deflating.
constexpr std::size_t deflate_from = 1024;

/// Nonces' counters of an earlier run must not come again: 50 ms each, so that a burst of 20 a second does not outrun
/// the clock, and six years until they begin anew.
std::uint32_t first_counter() {
  using ticks = std::chrono::duration<std::int64_t, std::ratio<1, 20>>;
  const auto now = std::chrono::duration_cast<ticks>(std::chrono::system_clock::now().time_since_epoch());
  return static_cast<std::uint32_t>(now.count());
}

registrar::moment now() { return {clock::now(), std::chrono::system_clock::now()}; }

}  // namespace

struct registration::state : std::enable_shared_from_this<registration::state> {
  static asio::awaitable<void> withdraw(std::shared_ptr<state> self);

  /// One backbone node: what is to be said, and the connection to say it on.
  struct node {
    node(const asio::any_io_executor& executor, backbone_settings from, const settings& all, https::tls_context tls,
         mapping::sequence_numbers& numbers, const registrar::random_source& random)
        : how(std::move(from)),
          machine(with_edge(all), numbers, random),
          client({{how.host, how.port, how.server_name, std::move(tls)},
                  all.connect_timeout,
                  all.request_timeout,
                  mapping::most_answer}),
          timer(executor) {}

    static mapping::registrar_settings with_edge(const settings& all) {
      auto of_it = all.registrar;
      of_it.edge = all.edge;
      return of_it;
    }

    backbone_settings how;
    registrar machine;
    https::client client;
    asio::steady_timer timer;
    std::optional<message_kind> sending;
    std::string told_error;  // in the log
    registrar::state told_state = registrar::state::unregistered;
    std::set<std::pair<address, std::string>> told_refusals;
  };

  state(asio::any_io_executor on, settings from, told changed)
      : executor(std::move(on)),
        how(std::move(from)),
        servers_changed(std::move(changed)),
        egresses(how.discovery, uniform(), first_counter()),
        questions(executor),
        all_done(executor) {}

  std::function<double()> uniform() {
    return [this] { return std::uniform_real_distribution<double>(0, 1)(generator); };
  }

  // ---- resolvers and their egresses ----

  void watch_resolvers() {
    auto changed = [weak = weak_from_this()](const std::vector<mapping::resolver>& found,
                                             const std::vector<std::string>& said) {
      if (const auto self = weak.lock(); self && !self->stopping) self->set_resolvers(found, said);
    };
    watch.emplace(executor, how.resolvers, std::move(changed));
    watch->start();
  }

  void set_resolvers(const std::vector<mapping::resolver>& found, const std::vector<std::string>& said) {
    std::string list;
    for (const auto& one : found)
      list += (list.empty() ? "" : ",") + one.address.to_string() + "(" + std::string(text_of(one.from)) + ")";
    spdlog::info("resolvers={}", list.empty() ? "none" : list);
    for (const std::string& one : said) spdlog::warn("resolvers: {}", one);
    notes = said;
    egresses.set_resolvers(found, clock::now());
    find_out();
  }

  /// Asks what is due, and sets the timer for what comes next.
  void find_out() {
    if (stopping) return;
    while (auto question = egresses.next(clock::now())) {
      auto asking = ask_one(shared_from_this(), std::move(*question));
      asio::co_spawn(executor, std::move(asking), asio::detached);
    }
    register_news();
    const auto wake = egresses.wake();
    if (!wake) return void(questions.cancel());
    questions.expires_at(*wake);
    questions.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
      if (const auto self = weak.lock(); self && !cancelled) self->find_out();
    });
  }

  static asio::awaitable<void> ask_one(std::shared_ptr<state> self, mapping::discovery::question question) {
    auto asked = dns::question::make(question.qname, question.measures ? LDNS_RR_TYPE_NS : LDNS_RR_TYPE_TXT);
    // The zone's name is the backbone node's word, and may be too long for a label before it.
    result<answer> got = asked.has_error() ? asked.error() : error{};
    if (asked) {
      auto shared = std::make_shared<const dns::question>(std::move(*asked));
      got = co_await ask({question.to.address, question.to.port}, std::move(shared), self->how.question_timeout);
    }
    if (self->stopping) co_return;
    self->take_answer(question, got);
    self->find_out();
  }

  void take_answer(const mapping::discovery::question& question, const result<answer>& got) {
    const auto when = clock::now();
    if (!got) return egresses.failed(question.id, got.error().message, when);
    if (question.measures) return egresses.measured(question.id, got->rtt, when);
    const auto seen_from = observed_address(got->message.get());
    if (!seen_from) {
      const std::string who = question.to.address.to_string() + " port " + std::to_string(question.to.port);
      return egresses.failed(question.id, who + ": " + seen_from.error().message, when);
    }
    egresses.answered(question.id, *seen_from, when);
  }

  /// To all backbone nodes: what is known now.
  void register_news() {
    const bool news = std::exchange(told_version, egresses.version()) != egresses.version();
    if (news) spdlog::debug("egresses={}", egresses.egresses().size());
    for (backbone_id id = 0; id < nodes.size(); ++id) {
      nodes[id]->machine.set_content(how.addresses, egresses.claims(id), clock::now());
      nodes[id]->timer.cancel();
    }
  }

  // ---- backbone nodes ----

  static asio::awaitable<void> talk(std::shared_ptr<state> self, backbone_id id) {
    node& to = *self->nodes[id];
    for (;;) {
      auto what = to.machine.next(now());
      if (std::holds_alternative<registrar::done>(what)) break;
      if (const auto* wait = std::get_if<registrar::wait>(&what)) {
        to.timer.expires_at(wait->until.value_or(clock::time_point::max()));
        co_await to.timer.async_wait(as_result);
        continue;
      }
      auto& message = std::get<registrar::request>(what);
      https::headers fields;
      if (message.kind == message_kind::report && message.body.size() > deflate_from) {
        if (auto smaller = mapping::deflate(message.body)) {
          message.body = std::move(*smaller);
          fields.emplace_back("Content-Encoding", "deflate");
        }
      }
      to.sending = message.kind;
      const auto said =
          co_await to.client.request(std::string(target_of(message.kind)), std::move(message.body), fields);
      to.sending.reset();
      if (said)
        to.machine.answered(said->status, said->body, clock::now());
      else
        to.machine.failed(said.error().message, clock::now());
      self->after_message(id, message.kind);
    }
    to.client.close();
    if (--self->talking == 0) self->all_done.cancel();
  }

  void after_message(backbone_id id, message_kind kind) {
    node& to = *nodes[id];
    log(to, kind);
    const auto& answer = to.machine.answer();
    if (!answer || stopping || to.machine.where() != registrar::state::registered) return;
    if (kind != message_kind::registration && kind != message_kind::renewal) return;
    egresses.set_backbone(id, {answer->nonce_zone, answer->nonce_key, answer->nonce_edge}, clock::now());
    if (kind == message_kind::registration) prove_again(id);
    find_out();
    auto served = answer_of(to);
    if (served == told_servers) return;
    told_servers = std::move(served);
    if (servers_changed) servers_changed();
  }

  /// What the node has not seen, though we thought so.
  void prove_again(backbone_id id) {
    const registrar& machine = nodes[id]->machine;
    for (const auto& verdict : machine.verdicts()) {
      if (verdict.accepted || (verdict.reason != "not_seen" && verdict.reason != "bad_nonce")) continue;
      for (const auto& claim : machine.claimed())
        if (claim.address == verdict.address && !claim.nonce.empty()) egresses.refused(id, claim, clock::now());
    }
  }

  using served_names = std::tuple<std::uint32_t, std::vector<std::string>, std::vector<mapping::served_by>>;
  static served_names answer_of(const node& from) {
    const auto& answer = *from.machine.answer();
    return {answer.ttl, answer.default_servers, answer.servers};
  }

  /// An egress that is claimed without a proof, which is to come, is refused without a word in the log.
  static bool had_proof(const registrar& machine, const address& egress) {
    return std::ranges::any_of(machine.claimed(), [&egress](const mapping::egress_claim& claim) {
      return claim.address == egress && !claim.nonce.empty();
    });
  }

  void log(node& to, message_kind kind) const {
    const registrar& machine = to.machine;
    const auto where = machine.where();
    const std::string& wrong = machine.error_text();
    // What we have given up ourselves is no news.
    if (!wrong.empty() && wrong != to.told_error && (!stopping || kind == message_kind::withdrawal)) {
      if (machine.failures() == 0)  // a node that does not know us, or another number, is soon put right
        spdlog::info("backbone={}: {}", to.how.name, wrong);
      else if (where == registrar::state::refused)
        spdlog::error("registration refused backbone={}: {}", to.how.name, wrong);
      else
        spdlog::warn("backbone={}: {}", to.how.name, wrong);
    }
    to.told_error = wrong;
    if (where != std::exchange(to.told_state, where) && kind == message_kind::renewal && wrong.empty())
      spdlog::info("registered from before backbone={} lifetime={}s", to.how.name, machine.answer()->lifetime.count());
    if (kind == message_kind::withdrawal && wrong.empty()) spdlog::info("withdrawn backbone={}", to.how.name);
    if (kind != message_kind::registration || !wrong.empty()) return;

    std::set<std::pair<address, std::string>> refusals;
    std::size_t accepted = 0;
    for (const auto& verdict : machine.verdicts()) {
      if (verdict.accepted)
        ++accepted;
      else if (had_proof(machine, verdict.address))
        refusals.emplace(verdict.address, verdict.reason);
    }
    spdlog::info("registered backbone={} lifetime={}s egresses={} accepted={}", to.how.name,
                 machine.answer()->lifetime.count(), machine.verdicts().size(), accepted);
    for (const auto& one : refusals)
      if (!to.told_refusals.contains(one))
        spdlog::warn("egress refused backbone={} address={} reason={}", to.how.name, one.first.to_string(), one.second);
    to.told_refusals = std::move(refusals);
  }

  void wake_all() {
    for (const auto& one : nodes) one->timer.cancel();
  }

  asio::any_io_executor executor;
  settings how;
  told servers_changed;
  std::mt19937_64 generator{std::random_device{}()};
  mapping::sequence_numbers numbers;
  mapping::discovery egresses;
  std::uint64_t told_version = 0;
  std::vector<std::unique_ptr<node>> nodes;
  std::vector<std::string> notes;
  asio::steady_timer questions;
  asio::steady_timer all_done;  // cancelled when the last node has been told
  std::optional<resolver_watch> watch;
  std::optional<served_names> told_servers;
  std::size_t talking = 0;
  bool stopping = false;
};

registration::registration(std::shared_ptr<state> made) : state_(std::move(made)) {}

result<std::unique_ptr<registration>> registration::make(asio::any_io_executor executor, settings how,
                                                         told servers_changed) {
  const auto bound = [](const char* what, std::size_t number, std::size_t most) -> std::optional<error> {
    if (number > 0 && number <= most) return std::nullopt;
    return error{errc::invalid, std::string("registration: expected 1 to ") + std::to_string(most) + " " + what};
  };
  if (auto wrong = bound("backbone nodes", how.backbones.size(), most_backbones)) return std::move(*wrong);
  if (auto wrong = bound("addresses", how.addresses.size(), mapping::most_addresses)) return std::move(*wrong);
  auto made = std::make_shared<state>(std::move(executor), std::move(how), std::move(servers_changed));
  for (const backbone_settings& one : made->how.backbones) {
    auto tls = https::client_context(one.tls);
    if (!tls) return error{tls.error().kind, "backbone " + one.name + ": " + tls.error().message};
    made->nodes.push_back(
        std::make_unique<state::node>(made->executor, one, made->how, std::move(*tls), made->numbers, made->uniform()));
  }
  return std::unique_ptr<registration>(new registration(std::move(made)));
}

registration::~registration() {
  state_->stopping = true;
  if (state_->watch) state_->watch->stop();
  state_->questions.cancel();
  state_->servers_changed = nullptr;
  for (const auto& one : state_->nodes) {
    one->machine.abandon();
    one->client.close();
    one->timer.cancel();
  }
}

void registration::start() {
  state_->talking = state_->nodes.size();
  state_->watch_resolvers();
  for (backbone_id id = 0; id < state_->nodes.size(); ++id)
    asio::co_spawn(state_->executor, state::talk(state_, id), asio::detached);
}

asio::awaitable<void> registration::withdraw() { return state::withdraw(state_); }

// Of its own: whoever asked for it may be gone when it begins.
asio::awaitable<void> registration::state::withdraw(std::shared_ptr<state> self) {
  if (std::exchange(self->stopping, true)) co_return;  // another one is under way, or done
  if (self->watch) self->watch->stop();
  self->questions.cancel();
  for (const auto& one : self->nodes) {
    one->machine.stop();
    // What is under way ends now: the withdrawal has a higher number, and comes on a connection of its own.
    if (one->sending) one->client.close();
    one->timer.cancel();
  }
  if (self->talking == 0) co_return;
  self->all_done.expires_after(self->how.withdraw_within);
  co_await self->all_done.async_wait(as_result);
  if (self->talking > 0) spdlog::warn("not all backbone nodes could be told of the end backbones={}", self->talking);
  for (const auto& one : self->nodes) {
    one->machine.abandon();
    one->client.close();
    one->timer.cancel();
  }
}

void registration::set_report(mapping::report newest) {
  const auto shared = std::make_shared<const mapping::report>(std::move(newest));
  for (const auto& one : state_->nodes) one->machine.set_report(shared);
  state_->wake_all();
}

void registration::set_addresses(std::vector<address> addresses) {
  state_->how.addresses = std::move(addresses);
  state_->register_news();
}

registration::name_servers registration::servers_for(const address& client) const {
  const state::node* newest = nullptr;
  for (const auto& one : state_->nodes) {
    const auto at = one->machine.answered_at();
    if (at && (newest == nullptr || *at > *newest->machine.answered_at())) newest = one.get();
  }
  if (newest == nullptr) return {};
  const auto& answer = *newest->machine.answer();
  const mapping::served_by* closest = nullptr;
  for (const auto& one : answer.servers)
    if (contains(one.who, client) && (closest == nullptr || one.who.length > closest->who.length)) closest = &one;
  return {answer.ttl, closest != nullptr ? closest->servers : answer.default_servers};
}

boost::json::object registration::status() const {
  std::vector<node_status> nodes;
  for (const auto& one : state_->nodes)
    nodes.push_back({one->how.name, text_of(https::peer{one->how.host, one->how.port, {}, {}}), &one->machine});
  auto all = status_of(state_->egresses, nodes, clock::now());
  all["edge"] = state_->how.edge;
  auto& addresses = all["addresses"].emplace_array();
  for (const address& one : state_->how.addresses) addresses.emplace_back(one.to_string());
  all["sequence"] = state_->numbers.last();
  auto& notes = all["notes"].emplace_array();
  for (const std::string& one : state_->notes) notes.emplace_back(one);
  all["watch"] = state_->watch ? state_->watch->trouble() : std::string();
  return all;
}

}  // namespace nearside::registration
