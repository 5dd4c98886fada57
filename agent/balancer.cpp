// SPDX-License-Identifier: BSD-2-Clause
#include "agent/balancer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "agent/admin/servers.hpp"
#include "agent/admin/state_file.hpp"
#include "agent/config/wording.hpp"
#include "agent/registration/own_report.hpp"
#include "agent/score/recording.hpp"
#include "agent/score/trace_json.hpp"

namespace nearside {
namespace json = boost::json;

namespace {

using boost::system::error_code;

// After a decision what is known is kept this soon; figures alone may wait longer.
constexpr std::chrono::milliseconds keep_after_decision{200};
constexpr std::chrono::seconds keep_regularly{10};
// Nothing is answered while a large state is written: at most one part in so many of the time goes into that.
constexpr int keep_rarely = 50;
// With more pools than this at once, the log has their number only.
constexpr std::size_t most_logged_pools = 4;

dns::choices stale_choices(const config::loaded& from) {
  dns::choices all;
  if (from.options.answering.stale == config::stale_rule::pass) return all;
  for (const score::pool& p : from.servers.pools) all.push_back(score::stale_choice(p));
  return all;
}

std::string start_line(const config::loaded& from) {
  const config::check plain;
  const config::check& first = from.servers.checks.empty() ? plain : from.servers.checks.front();
  const auto seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
  const score::criteria usual;
  return score::start_line(from.options.node.name, from.servers.targets, seconds(first.interval),
                           seconds(first.timeout), first.health.fall,
                           from.servers.pools.empty() ? usual.ttl : from.servers.pools.front().rules.ttl);
}

/// "near,mid", for the log.
std::string text_of(const score::pool& of, std::size_t family, const dns::choice& made) {
  if (made.what == dns::choice::kind::servfail) return "SERVFAIL";
  if (made.alternatives.empty()) return "NODATA";
  const auto& addresses = of.families[family].addresses;
  std::vector<std::string> names;
  for (const auto& a : made.alternatives) {
    const std::size_t address = a.order.front();
    auto name = address < addresses.size() ? of.members[addresses[address].member].server : std::string("fallback");
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace

balancer::balancer(const boost::asio::any_io_executor& executor, const config::loaded& from, const score::memory& known,
                   change_handler on_change)
    : configured_(std::make_shared<const config::measuring>(from.servers)),
      names_(registration::names_of_pools(*from.zones, from.servers.pools.size())),
      state_file_(from.options.state.directory / "state.json"),
      on_change_(std::move(on_change)),
      board_(configured_->targets, configured_->pools, configured_->latency, std::chrono::steady_clock::now(), known),
      stale_(stale_choices(from)),
      prober_(executor, configured_,
              [this](std::size_t target, const score::sample& found) { return take(target, found); }),
      expiry_(executor),
      keeping_(executor) {
  for (const std::string& problem : prober_.problems()) spdlog::error("check cannot run problem=\"{}\"", problem);
  if (!from.options.record.file.empty())
    recorder_.open(from.options.record.file, from.options.node.name, start_line(from));
}

balancer::~balancer() = default;

void balancer::start() {
  running_ = true;
  prober_.start();
  for (std::size_t t = 0; t < configured_->targets.size(); ++t)
    if (board_.in_use(t)) prober_.set_in_use(t, true);
  wait_for_expiry();
  keep_later();
}

void balancer::stop() {
  if (!running_) return;
  running_ = false;
  prober_.stop();
  expiry_.cancel();
  keeping_.cancel();
  recorder_.close();
  static_cast<void>(keep(false));  // told in the log
}

score::memory balancer::hand_over() const { return board_.hand_over(std::chrono::steady_clock::now()); }

mapping::report balancer::report() const {
  return registration::own_report(board_, names_, std::chrono::steady_clock::now());
}

bool balancer::take(std::size_t target, const score::sample& found) {
  recorder_.add(configured_->targets[target].label, found);
  const score::standing before = board_.of(target).state.now();
  const auto effect = board_.add(target, found);
  bring_about(effect, configured_->targets[target].label);
  if (board_.of(target).state.now() != before) {
    log_standing(target, before);
    keep_soon();
  }
  return effect.settle_soon;
}

// First the answers, then everything else.
void balancer::bring_about(const score::scoreboard::effect& effect, const std::string& because) {
  if (!effect.pools.empty()) on_change_(effect.pools);
  for (const auto& [target, in_use] : effect.in_use) prober_.set_in_use(target, in_use);
  if (effect.pools.empty()) return;
  keep_soon();
  log_answers(effect.pools, because);
}

// A line where other servers are answered; that only the TTL is another one is worth none.
void balancer::log_answers(const std::vector<std::uint32_t>& pools, const std::string& because) {
  if (pools.size() > most_logged_pools) {
    spdlog::info("answers changed pools={} by={}", pools.size(), because);
    return;
  }
  for (const std::uint32_t p : pools) {
    const score::pool& of = board_.pools()[p];
    for (std::size_t f = 0; f < 2; ++f) {
      if (of.families[f].addresses.empty()) continue;
      const dns::choice& made = (*board_.choices())[p].families[f];
      std::string servers = text_of(of, f, made);
      std::string& before = logged_[std::uint64_t{p} * 2 + f];
      if (servers == before) continue;
      spdlog::info("answer name={} family={} servers={} ttl={}s by={}", of.label, f == 0 ? "ipv4" : "ipv6", servers,
                   made.ttl, because);
      before = std::move(servers);
    }
  }
}

void balancer::log_standing(std::size_t target, score::standing before) const {
  const score::measured& now = board_.of(target);
  spdlog::info("server target={} state={} before={} reason=\"{}\"", configured_->targets[target].label,
               score::text_of(now.state.now()), score::text_of(before), now.reason);
}

// ---- what outlives us ----

result<void> balancer::keep(bool durable) {
  const auto began = std::chrono::steady_clock::now();
  auto kept = admin::save_state(state_file_, board_.remember(began), admin::moment::now(), durable);
  // Waiting for the disk comes with an operator's word only.
  if (!durable)
    keeping_took_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  // It is tried again every few seconds: once is enough to tell.
  if (const std::string why = kept ? "" : kept.error().message; why != not_kept_) {
    not_kept_ = why;
    if (!why.empty()) spdlog::warn("not kept for a restart error=\"{}\"", why);
  }
  return kept;
}

void balancer::keep_soon() {
  if (keep_is_near_ || !running_) return;
  keep_is_near_ = true;
  keeping_.cancel();
  keep_later();
}

void balancer::keep_later() {
  const auto wait = keep_is_near_ ? keep_after_decision : std::chrono::milliseconds(keep_regularly);
  keeping_.expires_after(std::max(wait, keeping_took_ * keep_rarely));
  auto on_time = [this, alive = std::weak_ptr(self_)](const error_code& cancelled) {
    if (cancelled || alive.expired() || !running_) return;
    keep_is_near_ = false;
    static_cast<void>(keep(false));
    keep_later();
  };
  keeping_.async_wait(std::move(on_time));
}

void balancer::wait_for_expiry() {
  const auto next = board_.next_expiry(std::chrono::steady_clock::now());
  if (!next || !running_) return;
  expiry_.expires_at(*next);
  auto on_time = [this, alive = std::weak_ptr(self_)](const error_code& cancelled) {
    if (cancelled || alive.expired() || !running_) return;
    bring_about(board_.expire(std::chrono::steady_clock::now()), "expiry");
    keep_soon();
    wait_for_expiry();
  };
  expiry_.async_wait(std::move(on_time));
}

// ---- the control verbs ----

result<json::object> balancer::servers(const json::object& request) const {
  return admin::servers_json(board_, *configured_, request, std::chrono::steady_clock::now());
}

result<json::object> balancer::administer(const json::object& request) {
  const auto now = std::chrono::steady_clock::now();
  const auto wanted = admin::parse_administer(request, now);
  if (!wanted) return wanted.error();
  std::vector<std::string> servers;
  const auto effect = board_.administer(wanted->pattern, wanted->said, now, servers);
  if (servers.empty()) return error{errc::not_found, "no server's name matches " + config::in_quotes(wanted->pattern)};
  for (const std::string& server : servers)
    spdlog::info("administrative server={} state={} owner={} reason={}", server, score::text_of(wanted->said.state),
                 config::in_quotes(wanted->said.owner), config::in_quotes(wanted->said.reason));
  bring_about(effect, "operator");
  wait_for_expiry();
  // An operator's word is kept before he is told that it is.
  if (auto kept = keep(true); !kept)
    return error{kept.error().kind, "in force, but lost at a restart: " + kept.error().message};
  return admin::administered_json(board_, servers, now);
}

json::object balancer::explain(std::size_t pool) const {
  const score::pool& of = board_.pools()[pool];
  return score::to_json(of, board_.explain(pool, std::chrono::steady_clock::now()), (*board_.choices())[pool]);
}

json::object balancer::status() const {
  const auto count = prober_.counters();
  return {{"pools", board_.pools().size()},
          {"targets", board_.targets().size()},
          {"started", count.started},
          {"ok", count.ok},
          {"lost", count.lost},
          {"failed", count.failed},
          {"local_faults", count.local_faults},
          {"late", count.late},
          {"under_way", count.under_way}};
}

}  // namespace nearside
