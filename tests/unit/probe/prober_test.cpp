// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/prober.hpp"

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "tests/unit/probe/loop.hpp"

using namespace nearside;
using namespace nearside::probe;
using config::check_type;

namespace {

/// One check of 127.0.0.1 on each port.
std::shared_ptr<config::measuring> plan_of(const config::check& check, const std::vector<std::uint16_t>& ports) {
  auto plan = std::make_shared<config::measuring>();
  plan->probe.per_address = 1000;
  plan->checks.push_back(check);
  for (const auto port : ports) {
    plan->targets.emplace_back();
    plan->probes.push_back({0, asio::ip::make_address("127.0.0.1"), port});
  }
  return plan;
}

config::check often(check_type type) {
  auto check = check_of(type, 100ms);
  check.interval = 50ms;
  check.interval_in_use = 10ms;
  check.recheck = 10ms;
  return check;
}

void run(asio::io_context& context, std::chrono::milliseconds time) {
  context.restart();
  context.run_for(time);
}

bool balanced(const prober_counters& c) { return c.started == c.ok + c.lost + c.failed + c.local_faults + c.under_way; }

}  // namespace

TEST_CASE("every target gives samples at its interval, and each start is counted once", "[probe][prober]") {
  asio::io_context context;
  const scripted_server good(context, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  const scripted_server bad(context, {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"});
  std::vector<std::vector<score::sample>> samples(2);
  prober measuring(context.get_executor(), plan_of(often(check_type::http), {good.port(), bad.port()}),
                   [&](std::size_t target, score::sample found) {
                     samples[target].push_back(std::move(found));
                     return false;
                   });
  measuring.start();
  run(context, 1s);
  const auto counts = measuring.counters();
  CHECK(balanced(counts));
  CHECK(counts.ok == samples[0].size());
  CHECK(counts.failed == samples[1].size());
  CHECK(counts.ok >= 12);
  CHECK(counts.ok <= 24);
  CHECK(counts.late == 0);
  CHECK(samples[1].front().reason == "http 500");
}

TEST_CASE("a handler that wants a target to settle gets its re-checks sooner", "[probe][prober]") {
  asio::io_context context;
  const scripted_server good(context, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  auto check = often(check_type::http);
  check.interval = 10s;
  int count = 0;
  prober measuring(context.get_executor(), plan_of(check, {good.port()}),
                   [&](std::size_t, const score::sample&) { return ++count < 5; });
  measuring.start();
  run(context, 600ms);
  CHECK(count == 5);
}

TEST_CASE("a target in use is checked at its shorter interval", "[probe][prober]") {
  asio::io_context context;
  const scripted_server good(context, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  auto check = often(check_type::http);
  check.interval = 10s;
  check.interval_in_use = 20ms;
  int count = 0;
  prober measuring(context.get_executor(), plan_of(check, {good.port()}), [&](std::size_t, const score::sample&) {
    ++count;
    return false;
  });
  measuring.start();
  run(context, 200ms);
  CHECK(count == 1);
  measuring.set_in_use(0, true);
  run(context, 500ms);
  CHECK(count >= 10);
}

TEST_CASE("after stop nothing is handed on, whatever was under way", "[probe][prober]") {
  asio::io_context context;
  const tcp::acceptor silent(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  std::vector<config::check> checks;
  for (const auto type : {check_type::http, check_type::tls, check_type::exec, check_type::icmp}) {
    auto check = check_of(type, 30s);
    check.command = {"/bin/sleep", "60"};
    checks.push_back(check);
  }
  for (const auto& check : checks) {
    INFO(static_cast<int>(check.type));
    int count = 0;
    int before = 0;
    {
      auto plan = plan_of(check, {silent.local_endpoint().port()});
      if (check.type == check_type::icmp) plan->probes[0].address = asio::ip::make_address("192.0.2.1");
      prober measuring(context.get_executor(), plan, [&](std::size_t, const score::sample&) {
        ++count;
        return true;
      });
      measuring.start();
      run(context, 100ms);
      before = count;  // where 192.0.2.1 is unreachable, that is known at once
      measuring.stop();
      measuring.set_in_use(0, true);
      run(context, 50ms);
      CHECK(measuring.counters().under_way == 0);
    }
    // Nothing is left that would keep the loop alive, and no program.
    context.restart();
    const auto begin = std::chrono::steady_clock::now();
    context.run_for(10s);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    CHECK(count == before);
    CHECK((::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD));
  }
}

TEST_CASE("a prober that goes while probes are under way leaves the loop in peace", "[probe][prober]") {
  asio::io_context context;
  const tcp::acceptor silent(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  {
    prober measuring(context.get_executor(),
                     plan_of(often(check_type::http), std::vector<std::uint16_t>(50, silent.local_endpoint().port())),
                     [](std::size_t, const score::sample&) { return false; });
    measuring.start();
    run(context, 70ms);
    CHECK(measuring.counters().under_way > 0);
  }
  context.restart();
  const auto begin = std::chrono::steady_clock::now();
  context.run_for(10s);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a handler may stop the prober", "[probe][prober]") {
  asio::io_context context;
  const scripted_server good(context, {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
  int count = 0;
  std::unique_ptr<prober> measuring;
  measuring = std::make_unique<prober>(context.get_executor(), plan_of(often(check_type::http), {good.port()}),
                                       [&](std::size_t, const score::sample&) {
                                         ++count;
                                         measuring.reset();
                                         return true;
                                       });
  measuring->start();
  run(context, 300ms);
  CHECK(count == 1);
}

TEST_CASE("a check that can never run counts as a local fault, is named, and does not spin", "[probe][prober]") {
  asio::io_context context;
  auto check = often(check_type::exec);
  check.command = {"relative"};
  int count = 0;
  prober measuring(context.get_executor(), plan_of(check, {0}), [&](std::size_t, const score::sample&) {
    ++count;
    return true;
  });
  REQUIRE(measuring.problems().size() == 1);
  measuring.start();
  run(context, 500ms);
  CHECK(count == 0);
  CHECK(measuring.counters().local_faults >= 5);
  CHECK(measuring.counters().local_faults <= 15);
  CHECK(balanced(measuring.counters()));
}

TEST_CASE("no more probes are under way than allowed when nobody answers", "[probe][prober]") {
  asio::io_context context;
  const tcp::acceptor silent(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  auto plan = plan_of(often(check_type::tls), std::vector<std::uint16_t>(100, silent.local_endpoint().port()));
  plan->probe.concurrency = 7;
  std::uint64_t most = 0;
  prober* watched = nullptr;
  prober measuring(context.get_executor(), plan, [&](std::size_t, const score::sample&) {
    most = std::max(most, watched->counters().under_way);
    return true;
  });
  watched = &measuring;
  measuring.start();
  run(context, 1s);
  CHECK(most <= 7);
  CHECK(measuring.counters().lost >= 40);
  CHECK(balanced(measuring.counters()));
}
