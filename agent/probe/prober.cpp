// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/prober.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <random>
#include <unordered_map>
#include <utility>

#include "agent/probe/fault_log.hpp"
#include "agent/probe/run_check.hpp"
#include "agent/probe/schedule.hpp"

namespace nearside::probe {
namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

std::vector<schedule::pace> paces(const config::measuring& plan) {
  std::vector<schedule::pace> all;
  all.reserve(plan.probes.size());
  for (const auto& probe : plan.probes) {
    const auto& check = plan.checks.at(probe.check);
    all.push_back({probe.address, check.interval, check.interval_in_use, check.recheck});
  }
  return all;
}

schedule::random_source system_random() {
  return [generator = std::mt19937_64(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>()(generator);
  };
}

}  // namespace

/// What the checks under way refer to; it lives until the last of them has ended.
struct prober::state : std::enable_shared_from_this<state> {
  state(asio::any_io_executor loop, std::shared_ptr<const config::measuring> what, sample_handler handler)
      : executor(std::move(loop)),
        plan(std::move(what)),
        on_sample(std::move(handler)),
        echoes(executor),
        timer(executor) {
    for (const auto& check : plan->checks) {
      checks.push_back(prepared_check::make(check));
      if (!checks.back()) problems.push_back(checks.back().error().message);
    }
  }

  void start_due();
  void start_check(std::size_t target);
  void end_check(std::size_t target, const std::exception_ptr& thrown, result<score::sample> found);
  void count(std::size_t target, const result<score::sample>& found);
  void wait();

  asio::any_io_executor executor;
  std::shared_ptr<const config::measuring> plan;
  sample_handler on_sample;
  std::vector<result<prepared_check>> checks;
  std::vector<std::string> problems;
  echo_sockets echoes;
  std::optional<schedule> due;  // once started
  asio::steady_timer timer;
  struct runner {
    asio::cancellation_signal stop;
    bool running = false;
  };
  std::unordered_map<std::size_t, runner> runners;  // by target, kept for its next check
  fault_log faults;
  prober_counters counts;
  bool starting = false;
  bool waiting = false;  // for the timer
  bool stopped = false;
};

void prober::state::start_due() {
  // A check that cannot even begin ends within start_check(): the loop below goes on with the next one.
  if (stopped || starting) return;
  starting = true;
  while (!stopped) {
    const auto target = due->next(clock::now());
    if (!target) break;
    start_check(*target);
  }
  starting = false;
  if (!stopped) wait();
}

void prober::state::wait() {
  const auto when = due->wake();
  if (!when) {
    timer.cancel();
    return;
  }
  if (waiting && timer.expiry() == *when) return;
  waiting = true;
  timer.expires_at(*when);
  auto on_time = [self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    self->waiting = false;
    self->start_due();
  };
  timer.async_wait(std::move(on_time));
}

void prober::state::start_check(std::size_t target) {
  ++counts.started;
  const auto& probe = plan->probes[target];
  const auto& check = checks[probe.check];
  if (!check) return end_check(target, nullptr, check.error());
  std::string server = target < plan->targets.size() ? plan->targets[target].server : std::string();
  auto on_end = [self = shared_from_this(), target](const std::exception_ptr& thrown, result<score::sample> found) {
    self->runners[target].running = false;
    --self->counts.under_way;
    self->end_check(target, thrown, std::move(found));
    self->start_due();
  };
  runner& mine = runners[target];
  mine.running = true;
  ++counts.under_way;
  asio::co_spawn(executor, run_check(executor, *check, probe, std::move(server), echoes),
                 asio::bind_cancellation_slot(mine.stop.slot(), std::move(on_end)));
}

void prober::state::end_check(std::size_t target, const std::exception_ptr& thrown, result<score::sample> found) {
  if (stopped) return;
  if (thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& why) {
      found = error{errc::system, why.what()};
    }
  }
  count(target, found);
  bool settle_soon = false;
  if (found) settle_soon = on_sample(target, std::move(*found));
  if (!stopped) due->finished(target, clock::now(), settle_soon);
}

void prober::state::count(std::size_t target, const result<score::sample>& found) {
  if (!found) {
    ++counts.local_faults;
    const auto& probe = plan->probes[target];
    if (const auto untold = faults.tell(probe.check, found.error().message, clock::now()))
      spdlog::warn("check not possible check={} address={} error=\"{}\" more={}", plan->checks[probe.check].name,
                   probe.address.to_string(), found.error().message, *untold);
    return;
  }
  switch (found->what) {
    case score::outcome::ok: ++counts.ok; return;
    case score::outcome::lost: ++counts.lost; return;
    case score::outcome::failed: ++counts.failed; return;
  }
}

prober::prober(asio::any_io_executor executor, std::shared_ptr<const config::measuring> plan, sample_handler on_sample)
    : state_(std::make_shared<state>(std::move(executor), std::move(plan), std::move(on_sample))) {}

prober::~prober() { stop(); }

void prober::start() {
  if (state_->due || state_->stopped) return;
  state_->due.emplace(state_->plan->probe, paces(*state_->plan), system_random(), clock::now());
  state_->start_due();
}

void prober::stop() {
  if (std::exchange(state_->stopped, true)) return;
  state_->timer.cancel();
  state_->echoes.close();
  for (auto& [target, runner] : state_->runners)
    if (runner.running) runner.stop.emit(asio::cancellation_type::terminal);
  // Outside of the event loop, emit() leaves its work there: the runners must live until then.
  asio::post(state_->executor, [held = state_] {});
}

void prober::set_in_use(std::size_t target, bool in_use) {
  if (!state_->due || state_->stopped) return;
  state_->due->set_in_use(target, in_use, clock::now());
  if (!state_->starting) state_->wait();
}

prober_counters prober::counters() const {
  auto counts = state_->counts;
  if (state_->due) counts.late = state_->due->late();
  return counts;
}

const std::vector<std::string>& prober::problems() const { return state_->problems; }

}  // namespace nearside::probe
