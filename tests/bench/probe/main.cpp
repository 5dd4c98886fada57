// SPDX-License-Identifier: BSD-2-Clause
// Runs a prober on many http targets and tells, as JSON, what that costs: the share of one core, late checks, memory.
// Started by tests/bench/probing.py, in the namespace of the servers.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iostream>

#include "agent/probe/prober.hpp"

namespace {

using namespace nearside;

struct arguments {
  std::string first = "198.18.0.1";
  unsigned targets = 2000;
  unsigned warm_up = 10;
  unsigned seconds = 30;
  unsigned interval_ms = 5000;
  unsigned timeout_ms = 500;
  bool settle = false;
};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Resident memory in KiB.
std::uint64_t resident() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

std::shared_ptr<config::measuring> plan_of(const arguments& given) {
  auto plan = std::make_shared<config::measuring>();
  config::check check;
  check.name = "web";
  check.type = config::check_type::http;
  check.interval = std::chrono::milliseconds(given.interval_ms);
  check.timeout = std::chrono::milliseconds(given.timeout_ms);
  plan->checks.push_back(check);
  const auto first = boost::asio::ip::make_address_v4(given.first).to_uint();
  for (unsigned i = 0; i < given.targets; ++i) {
    plan->targets.emplace_back();
    plan->probes.push_back({0, boost::asio::ip::address_v4(first + i), 80});
  }
  return plan;
}

double milliseconds_at(std::vector<score::duration>& times, double part) {
  if (times.empty()) return 0;
  const auto place = static_cast<std::size_t>(part * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(place), times.end());
  return score::milliseconds_of(times[place]);
}

}  // namespace

int main(int count, char** words) {
  arguments given;
  CLI::App app("Measures what measuring costs", "nearside_bench_probe");
  app.add_option("--first", given.first, "The first address; the others follow it");
  app.add_option("--targets", given.targets);
  app.add_option("--warm-up", given.warm_up, "Seconds before the figures are taken");
  app.add_option("--seconds", given.seconds);
  app.add_option("--interval-ms", given.interval_ms);
  app.add_option("--timeout-ms", given.timeout_ms);
  app.add_flag("--settle", given.settle, "Re-check without end, as for servers that have failed");
  CLI11_PARSE(app, count, words);

  boost::asio::io_context loop(1);
  std::vector<score::duration> times;
  times.reserve(std::size_t{given.seconds + given.warm_up} * given.targets);
  times.resize(times.capacity());  // touched now: its pages must not look like growth
  times.clear();
  probe::prober measuring(loop.get_executor(), plan_of(given), [&](std::size_t, const score::sample& found) {
    if (found.first_byte && times.size() < times.capacity()) times.push_back(*found.first_byte);
    return given.settle;
  });
  measuring.start();
  loop.run_for(std::chrono::seconds(given.warm_up));
  times.clear();
  const auto before = measuring.counters();
  const double cpu = cpu_seconds();
  const auto memory = resident();
  const auto begin = std::chrono::steady_clock::now();
  loop.run_for(std::chrono::seconds(given.seconds));
  const double took = score::seconds_of(std::chrono::steady_clock::now() - begin);
  const double used = cpu_seconds() - cpu;
  const auto after = measuring.counters();
  std::cout << boost::json::serialize(boost::json::value{
                   {"targets", given.targets},
                   {"seconds", took},
                   {"probes_per_second", static_cast<double>(after.started - before.started) / took},
                   {"cpu_share", used / took},
                   {"cpu_us_per_probe",
                    used * 1e6 / static_cast<double>(std::max<std::uint64_t>(1, after.started - before.started))},
                   {"ok", after.ok - before.ok},
                   {"lost", after.lost - before.lost},
                   {"failed", after.failed - before.failed},
                   {"local_faults", after.local_faults - before.local_faults},
                   {"late", after.late},
                   {"under_way", after.under_way},
                   {"first_byte_ms_median", milliseconds_at(times, 0.5)},
                   {"first_byte_ms_p99", milliseconds_at(times, 0.99)},
                   {"rss_kib_start", memory},
                   {"rss_kib_end", resident()}})
            << '\n';
  return 0;
}
