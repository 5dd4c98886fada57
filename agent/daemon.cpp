// SPDX-License-Identifier: BSD-2-Clause
#include "agent/daemon.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <ctime>

#include "agent/admin/instance_lock.hpp"
#include "agent/admin/notify.hpp"
#include "agent/admin/state_file.hpp"
#include "agent/in_force.hpp"
#include "agent/version.hpp"

namespace nearside {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// Routes change in bursts; a decision for each message of a burst would read all routes each time.
constexpr std::chrono::milliseconds route_pause{50};
// Figures for backbone nodes; what is answered is told at once when it changes.
constexpr std::chrono::seconds report_pause{2};

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = static_cast<std::uint64_t>(std::time(nullptr));
  return seed;
}

}  // namespace

daemon::daemon(std::filesystem::path config_path, std::filesystem::path pins, config::loaded initial)
    : config_path_(std::move(config_path)),
      pins_(std::move(pins)),
      current_(std::move(initial)),
      picks_(random_seed()) {}

daemon::~daemon() = default;

result<void> daemon::run() {
  // From here on no signal ends us by default: one that comes while we start is handled as soon as we run.
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) signals_.add(signal);
  if (auto started = start(); !started) return started.error();
  spdlog::info("ready version={} {}", NEARSIDE_VERSION, summary());
  admin::notify_ready(summary());
  io_.run();
  if (failed_) std::rethrow_exception(failed_);
  return {};
}

// The order matters: nothing that another agent serves is touched before the locks are ours; sockets are there before
// the kernel knows the addresses, so that what it passes up is answered; the lease comes last, when all it stands for
// is true.
result<void> daemon::start() {
  const auto& options = current_.options;
  auto lock = admin::lock_file(options.control.socket.string() + ".lock");
  if (!lock) return lock.error();
  instance_lock_ = std::move(*lock);
  auto kernel = kernel_side::open(pins_, options.maps);
  if (!kernel) return kernel.error();
  kernel_ = std::move(*kernel);

  auto known = admin::load_state(options.state.directory / "state.json", admin::moment::now());
  if (!known) {
    // It is written anew in a moment; what an operator said may still be read in it by a person.
    std::error_code ignored;
    std::filesystem::rename(options.state.directory / "state.json", options.state.directory / "state.json.bad",
                            ignored);
    spdlog::error("nothing is known from before error=\"{}\" kept=state.json.bad", known.error().message);
  }
  balancer_ = make_balancer(known ? *known : score::memory{});
  if (auto joined = join_mapping(); !joined) return joined.error();
  answers_ = std::make_unique<serve::answerer>(make_content(), picks_);
  auto on_failure = [this](const std::exception_ptr& thrown) {
    failed_ = thrown;
    io_.stop();
  };
  listeners_.emplace(io_.get_executor(), *answers_, limits_of(options.serve), on_failure);
  for (const auto& point : points_of(options.answering))
    if (auto opened = listeners_->open(point); !opened) return opened.error();
  auto control =
      admin::control_server::open(io_.get_executor(), options.control.socket,
                                  [this](const boost::json::object& request) { return answer_control(request); });
  if (!control) return control.error();
  control_ = std::move(*control);

  if (auto published = publish(); !published) return published.error();
  if (auto applied = kernel_->apply(options); !applied) return applied.error();
  if (auto renewed = kernel_->renew_lease(options.answering.lease); !renewed) return renewed.error();
  if (const auto again = kernel_->last_publish().again_at) {
    publish_timer_.expires_at(*again);
    publish_later();
  }

  balancer_->start();
  if (backbone_) backbone_->start();
  if (edge_) edge_->start();
  spawn(handle_signals());
  spawn(keep_reporting());
  spawn(keep_lease());
  spawn(watch_routes());
  return {};
}

result<void> daemon::join_mapping() {
  const auto& options = current_.options;
  if (options.backbone) {
    auto backbone = backbone_side::open(io_.get_executor(), current_,
                                        [this](const backbone_side::news& changed) { sites_->publish(changed); });
    if (!backbone) return backbone.error();
    backbone_ = std::move(*backbone);
    sites_ = std::make_unique<mapping_publisher>(io_.get_executor(), *kernel_, *backbone_);
  }
  if (options.registration) {
    auto edge = edge_side::make(io_.get_executor(), current_);
    if (!edge) return edge.error();
    edge_ = std::move(*edge);
  }
  return {};
}

serve::content daemon::make_content() const {
  std::shared_ptr<const dns::mapping> map;
  if (backbone_) map = backbone_->directory();
  if (edge_) map = edge_->parent();
  return content_of(current_, balancer_->choices(), std::move(map));
}

void daemon::spawn(asio::awaitable<void> loop) {
  auto on_end = [this](const std::exception_ptr& thrown) {
    if (!thrown) return;
    failed_ = thrown;
    io_.stop();
  };
  asio::co_spawn(io_, std::move(loop), std::move(on_end));
}

// The lease is left to run out, not ended: the zones stay true for as long, and an agent started again within it finds
// the kernel answering all the while. What the kernel passes up meanwhile is lost, and asked again by the client. Nor
// is a registration withdrawn: an agent that is back within its lease has its resolvers still.
void daemon::stop(int signal) {
  spdlog::info("stopping signal={} lease_remaining={}ms", signal, kernel_->lease_remaining().count());
  admin::notify_stopping();
  if (backbone_) backbone_->stop();
  balancer_->stop();
  listeners_->close_all();
  control_->close();
  io_.stop();
}

asio::awaitable<void> daemon::handle_signals() {
  for (;;) {
    const auto [failed, signal] = co_await signals_.async_wait(as_result);
    if (failed) co_return;
    if (signal != SIGHUP) {
      stop(signal);
      co_return;
    }
    static_cast<void>(reload());  // told in the log and by `status`
  }
}

asio::awaitable<void> daemon::keep_reporting() {
  for (;;) {
    if (edge_) edge_->set_report(balancer_->report());
    report_timer_.expires_after(report_pause);
    const auto [cancelled] = co_await report_timer_.async_wait(as_result);
    static_cast<void>(cancelled);  // something is answered otherwise now
  }
}

// The choices are changed in one step, of which this may be in the middle: the report is made after it.
void daemon::report_soon() { report_timer_.cancel(); }

asio::awaitable<void> daemon::keep_lease() {
  for (;;) {
    // Three renewals may fail or come late before the kernel stops answering.
    lease_timer_.expires_after(current_.options.answering.lease / 4);
    const auto [cancelled] = co_await lease_timer_.async_wait(as_result);
    static_cast<void>(cancelled);  // a reload cancels the wait, as the lease may have become shorter
    renew_lease();
  }
}

void daemon::renew_lease() {
  if (auto renewed = kernel_->renew_lease(current_.options.answering.lease); !renewed)
    spdlog::error("lease not renewed error=\"{}\"", renewed.error().message);
}

asio::awaitable<void> daemon::watch_routes() {
  auto watch = dataplane::route_watch::open();
  if (!watch) throw failure(watch.error());
  asio::posix::stream_descriptor events(io_, ::fcntl(watch->fd(), F_DUPFD_CLOEXEC, 0));
  asio::steady_timer pause(io_);
  for (;;) {
    if (const auto [failed] = co_await events.async_wait(asio::posix::stream_descriptor::wait_read, as_result); failed)
      co_return;
    pause.expires_after(route_pause);
    co_await pause.async_wait(as_result);
    const auto changed = watch->drain();
    if (!changed) {
      spdlog::warn("route messages lost error=\"{}\"", changed.error().message);
    } else if (!*changed) {
      continue;
    }
    if (auto decided = kernel_->decide_route(current_.options.answering); !decided)
      spdlog::error("way of replies not decided error=\"{}\"", decided.error().message);
  }
}

result<void> daemon::publish() {
  const auto& content = answers_->in_force();
  const auto rules = site_rules_of(current_);
  if (auto done = kernel_->publish(*content.zones, *content.choices, balancer_->stale(), rules); !done) return done;
  if (sites_) sites_->zones_changed(content.zones);
  return {};
}

void daemon::publish_change(std::span<const std::uint32_t> pools) {
  if (edge_) report_soon();
  if (const auto again = kernel_->change(*balancer_->choices(), pools)) {
    publish_timer_.expires_at(*again);
    publish_later();
  }
}

std::unique_ptr<balancer> daemon::make_balancer(const score::memory& known) {
  return std::make_unique<balancer>(io_.get_executor(), current_, known,
                                    [this](std::span<const std::uint32_t> pools) { publish_change(pools); });
}

// Publishes, and again when slots come out of quarantine or the kernel refused: userland answers what is not there yet.
void daemon::publish_later() {
  auto on_time = [this](const error_code& cancelled) {
    if (cancelled) return;
    auto next = std::chrono::steady_clock::now() + publish_retry;
    if (auto done = publish(); !done) {
      spdlog::error("not published error=\"{}\" retry={}ms", done.error().message, publish_retry.count());
    } else if (const auto again = kernel_->last_publish().again_at) {
      next = *again;
    } else {
      return;
    }
    publish_timer_.expires_at(next);
    publish_later();
  };
  publish_timer_.async_wait(std::move(on_time));
}

std::string daemon::summary() const {
  std::size_t names = 0;
  for (const auto& zone : current_.zones->zones()) names += zone.size();
  return "zones=" + std::to_string(current_.zones->zones().size()) + " names=" + std::to_string(names) +
         " in_kernel=" + std::to_string(kernel_->last_publish().names) +
         " listen=" + std::to_string(listeners_->points().size());
}

}  // namespace nearside
