// SPDX-License-Identifier: BSD-2-Clause
#include "cli/test_run.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <optional>

#include "agent/dataplane/counters.hpp"
#include "cli/query_packet.hpp"

namespace nearside::cli {
namespace {

using dataplane::counter_group;
using dataplane::counter_values;

// Room for the longest reply and its headers.
constexpr std::size_t longest_frame = 2048;
// More than the live traffic of the microseconds in between is likely to bring under one verdict.
constexpr std::uint32_t many_runs = 100;

/// Runs the program `repeat` times over the same frame; the frame and the action are those of the last run.
result<trial> run_program(int program, std::span<const std::uint8_t> frame, std::uint32_t interface_index,
                          std::uint32_t repeat) {
  trial done;
  done.frame.resize(longest_frame);
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = interface_index;
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = done.frame.data();
  options.data_size_out = static_cast<std::uint32_t>(done.frame.size());
  options.repeat = static_cast<int>(repeat);
  if (interface_index != 0) {
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
  }
  int failed = bpf_prog_test_run_opts(program, &options);
  if (failed == -EINVAL && interface_index != 0) {
    // Kernels before 5.15 and some devices take no context; then the query comes in on no interface in particular.
    options.ctx_in = nullptr;
    options.ctx_size_in = 0;
    options.data_size_out = static_cast<std::uint32_t>(done.frame.size());
    failed = bpf_prog_test_run_opts(program, &options);
  }
  if (failed != 0) return system_error(failed, "test run of the program");
  done.action = options.retval;
  done.runs = repeat;
  done.frame.resize(options.data_size_out);
  return done;
}

/// Which reply it is tells the verdict: no look at the counters needed.
std::uint32_t verdict_of_reply(std::span<const std::uint8_t> message) {
  if (message.size() < 12) return VERDICT_UNDECIDED;
  const bool authoritative = (message[2] & 0x04) != 0;
  const bool truncated = (message[2] & 0x02) != 0;
  const bool has_answer = (message[6] | message[7]) != 0;
  if (!authoritative) return truncated ? VERDICT_REFERRED_TRUNCATED : VERDICT_REFERRED;
  if (truncated) return VERDICT_ANSWERED_TRUNCATED;
  return has_answer ? VERDICT_ANSWERED : VERDICT_ANSWERED_NODATA;
}

/// The one verdict of this group that grew by at least `runs`; nullopt: none, or several.
std::optional<std::uint32_t> only_grown(const counter_values& growth, counter_group group, std::uint32_t runs) {
  std::optional<std::uint32_t> found;
  for (const auto& d : dataplane::counter_descriptions()) {
    if (d.group != group || growth.packets[d.number] < runs) continue;
    if (found) return std::nullopt;
    found = d.number;
  }
  return found;
}

}  // namespace

result<trial> try_query(const dataplane::object& tables, std::span<const std::uint8_t> frame,
                        std::uint32_t interface_index) {
  std::uint32_t runs = 0;
  trial last;
  // The program tells its verdict only to the counters, where live traffic counts as well. What it passes it leaves as
  // it was, so that it can be run often enough to stand out.
  for (const std::uint32_t repeat : {1U, many_runs, many_runs * 10}) {
    const auto before = dataplane::read_counters(tables);
    if (!before) return before.error();
    auto tried = run_program(tables.program(), frame, interface_index, repeat);
    if (!tried) return tried.error();
    const auto after = dataplane::read_counters(tables);
    if (!after) return after.error();
    last = std::move(*tried);
    last.runs = runs += repeat;
    if (last.action == XDP_TX) {
      last.verdict = verdict_of_reply(message_in(last.frame));
      return last;
    }
    const auto group = last.action == XDP_DROP ? counter_group::dropped : counter_group::passed;
    if (const auto verdict = only_grown(after->since(*before), group, repeat)) {
      last.verdict = *verdict;
      return last;
    }
  }
  return last;
}

}  // namespace nearside::cli
