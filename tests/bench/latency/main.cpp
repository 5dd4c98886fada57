// SPDX-License-Identifier: BSD-2-Clause
// nearside_bench_latency: runs the simulation of the policy `latency` and prints its figures as one JSON object.
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "latency/simulation.hpp"

namespace {

double percentile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

nearside::score::duration of_ms(double ms) {
  return std::chrono::duration_cast<nearside::score::duration>(std::chrono::duration<double, std::milli>(ms));
}

}  // namespace

int main(int argc, char** argv) {
  nearside::bench::world_settings in;
  nearside::bench::simulation_settings by;
  double smoothing = 20, penalty_smoothing = 30, margin = 0.3, lost = 500, failed = 3000;
  CLI::App app("Simulates the policy `latency` against others; one JSON object.");
  app.add_option("--rule", by.rule, "ours, round-robin, nearest or thresholds");
  app.add_option("--seed", in.seed, "Of the world");
  app.add_option("--days", in.days, "To simulate");
  app.add_option("--ttl", by.ttl, "Seconds");
  app.add_flag("--calm", in.calm, "A world in which nothing fails");
  app.add_option("--interval", by.plan.interval, "Seconds between probes");
  app.add_option("--interval-in-use", by.plan.interval_in_use, "The same for the server in use");
  app.add_option("--timeout", by.plan.timeout, "Seconds");
  app.add_option("--recheck", by.plan.recheck, "Seconds after a failure");
  app.add_option("--smoothing", smoothing, "Seconds");
  app.add_option("--clip", by.latency.clip_deviations, "Deviations");
  app.add_option("--margin", margin, "ms");
  app.add_option("--evidence", by.latency.evidence, "ms x s");
  app.add_option("--lost", lost, "ms");
  app.add_option("--failed", failed, "ms");
  app.add_option("--penalty-smoothing", penalty_smoothing, "Seconds");
  app.add_option("--first-loss", by.latency.first_loss_share, "Part of the penalty");
  app.add_option("--fall", by.health.fall, "Failures in a row");
  app.add_option("--rise", by.health.rise, "Successes in a row");
  CLI11_PARSE(app, argc, argv);
  by.latency.smoothing = of_ms(smoothing * 1000);
  by.latency.penalty_smoothing = of_ms(penalty_smoothing * 1000);
  by.latency.margin = of_ms(margin);
  by.latency.lost_penalty = of_ms(lost);
  by.latency.failed_penalty = of_ms(failed);
  const auto found = nearside::bench::simulate(in, by);
  std::cout << boost::json::serialize(boost::json::object{{"rule", by.rule},
                                                          {"excess_ms", found.excess_ms},
                                                          {"changes_an_hour", found.changes_an_hour},
                                                          {"needless_an_hour", found.needless_an_hour},
                                                          {"deaths_seen", found.leave_s.size()},
                                                          {"leave_median_s", percentile(found.leave_s, 0.5)},
                                                          {"leave_p95_s", percentile(found.leave_s, 0.95)}})
            << '\n';
  return 0;
}
