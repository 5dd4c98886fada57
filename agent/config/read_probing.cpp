// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config/read_probing.hpp"

namespace nearside::config {
namespace {

void read_probe(table_reader& table, probe_settings& probe) {
  // Each probe in flight has a socket.
  table.integer_into<std::size_t>("concurrency", probe.concurrency, 1, 65'536);
  table.number_into("per_address", probe.per_address, 0.1, 10'000);
  table.number_into("jitter", probe.jitter, 0, 0.5);
}

void read_latency(table_reader& table, score::latency_settings& latency) {
  const auto time = [&](std::string_view key, score::duration& field, std::chrono::microseconds least,
                        std::chrono::microseconds most) {
    if (const auto found = table.fine_duration(key, least, most)) field = found->value;
  };
  time("smoothing", latency.smoothing, 1s, 1h);
  table.number_into("clip_deviations", latency.clip_deviations, 1, 1'000);
  time("margin", latency.margin, 0s, 10s);
  table.number_into("evidence", latency.evidence, 0, 1'000'000);
  time("lost_penalty", latency.lost_penalty, 0s, 10min);
  time("failed_penalty", latency.failed_penalty, 0s, 10min);
  time("penalty_smoothing", latency.penalty_smoothing, 1s, 1h);
  table.number_into("first_loss_share", latency.first_loss_share, 0, 1);
}

}  // namespace

void read_probing(table_reader& root, probe_settings& probe, score::latency_settings& latency) {
  if (auto table = root.table("probe")) {
    read_probe(*table, probe);
    table->finish();
  }
  if (auto table = root.table("latency")) {
    read_latency(*table, latency);
    table->finish();
  }
}

}  // namespace nearside::config
