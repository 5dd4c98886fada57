// SPDX-License-Identifier: BSD-2-Clause
// Fills the client tables with rows of both families and times the look-up in the kernel; one line of JSON:
//   nearside_bench_clients --pin /sys/fs/bpf/nearside-bench-clients --rows 1000000
#include <bench_clients.skel.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "agent/dataplane/client_table.hpp"
#include "tests/bench/kernel/client_rows.h"
#include "tests/support/load_rows.hpp"

namespace {

using namespace nearside;
using dataplane::map_id;
namespace ip = boost::asio::ip;

constexpr int REPEAT = 1'000'000;
constexpr int RUNS = 5;  // the least counts

struct destroy_clients {
  void operator()(bench_clients_bpf* skeleton) const noexcept { bench_clients_bpf::destroy(skeleton); }
};
using skeleton = std::unique_ptr<bench_clients_bpf, destroy_clients>;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Of this process, without what it shares with the kernel's maps.
double resident_mib() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    double kib = 0;
    if (word == "RssAnon:" && in >> kib) return kib / 1024;
  }
  return 0;
}

/// What the kernel counts for the map (RLIMIT_MEMLOCK's or the cgroup's measure).
double map_mib(const dataplane::object& tables, map_id map) {
  std::ifstream in("/proc/self/fdinfo/" + std::to_string(tables.fd(map)));
  for (std::string word; in >> word;) {
    double octets = 0;
    if (word == "memlock:" && in >> octets) return octets / 1024 / 1024;
  }
  return 0;
}

std::vector<dataplane::client_row> rows_of_both(std::uint32_t count) {
  std::vector<dataplane::client_row> rows;
  rows.reserve(std::size_t{count} * 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    const dataplane::edge_addresses edge{{198, 18, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                                         {}};
    rows.push_back({{ip::address_v4(bench_address4(i)), 32}, bench_site(i, BENCH_SITES), edge});
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    ip::address_v6::bytes_type octets{};
    for (std::size_t at = 0; at < 8; ++at) octets[at] = static_cast<std::uint8_t>(bench_address6(i) >> (56 - 8 * at));
    rows.push_back({{ip::address_v6(octets), 64}, bench_site(i, BENCH_SITES), {}});
  }
  return rows;
}

/// ns a run.
double time_of(const bpf_program* program) {
  const std::array<std::uint8_t, 64> frame{};
  double least = 1e9;
  for (int run = 0; run < RUNS; ++run) {
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = frame.data();
    options.data_size_in = frame.size();
    options.repeat = REPEAT;
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0 || options.retval != XDP_PASS)
      throw std::runtime_error(std::string(bpf_program__name(program)) +
                               ": a wrong site, or no test run: " + std::to_string(options.retval));
    least = std::min(least, static_cast<double>(options.duration));
  }
  return least;
}

void measure(const std::string& pin, std::uint32_t count) {
  dataplane::map_sizes sizes;
  sizes.mapping4 = sizes.mapping6 = count;
  sizes.sites = BENCH_SITES + 1;
  const auto tables = dataplane::object::open_or_create(pin, sizes).value();
  dataplane::client_table clients(tables);
  const auto rows = rows_of_both(count);
  const auto four = std::span(rows).first(count);
  const double before = resident_mib();
  auto start = std::chrono::steady_clock::now();
  tests::load_rows(clients, four);
  const double load4 = seconds_since(start);
  const double after = resident_mib();
  start = std::chrono::steady_clock::now();
  const auto stats = tests::load_rows(clients, rows);
  const double load_both = seconds_since(start);
  for (const auto& note : stats.notes) std::cerr << note << '\n';
  // A thousand rows more, as a change of some edges would bring.
  auto changed = std::vector(rows.begin(), rows.begin() + std::min<std::ptrdiff_t>(count, 1000));
  for (auto& row : changed) row.site = row.site % BENCH_SITES + 1;
  start = std::chrono::steady_clock::now();
  for (const auto& row : changed) clients.put(row);
  clients.flush().value();
  const double change = seconds_since(start);
  for (const auto& row : std::span(rows).first(changed.size())) clients.put(row);
  clients.flush().value();

  skeleton programs(bench_clients_bpf::open());
  bpf_map__reuse_fd(programs->maps.config, tables.fd(map_id::config));
  bpf_map__reuse_fd(programs->maps.sites4, tables.fd(map_id::sites4));
  bpf_map__reuse_fd(programs->maps.rows4, tables.fd(map_id::rows4));
  bpf_map__reuse_fd(programs->maps.rows6, tables.fd(map_id::rows6));
  if (bench_clients_bpf::load(programs.get()) != 0) throw std::runtime_error("load the look-ups");
  programs->data->row_count = count;
  const double draw = time_of(programs->progs.draw_address);
  const double four_ns = time_of(programs->progs.look_up4) - draw;
  const double six_ns = time_of(programs->progs.look_up6) - draw;
  std::cout << R"({"rows":)" << count << R"(,"ipv4_ns":)" << four_ns << R"(,"ipv6_ns":)" << six_ns << R"(,"load4_s":)"
            << load4 << R"(,"load_both_s":)" << load_both << R"(,"change_1000_s":)" << change << R"(,"agent4_mib":)"
            << after - before << R"(,"agent_both_mib":)" << resident_mib() - before;
  for (const auto map : {map_id::sites4, map_id::rows4, map_id::rows6, map_id::mapping4, map_id::mapping6})
    std::cout << ",\"" << dataplane::map_label(map) << "_mib\":" << map_mib(tables, map);
  std::cout << "}" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fills the client tables and times the look-up");
  std::string pin;
  std::uint32_t rows = 1000;
  app.add_option("--pin", pin, "where programs and maps are pinned; removed at the end")->required();
  app.add_option("--rows", rows, "how many rows of each family")->check(CLI::Range(1u, 1u << 24));
  CLI11_PARSE(app, argc, argv);
  int status = 0;
  try {
    measure(pin, rows);
  } catch (const std::exception& e) {
    std::cerr << "nearside_bench_clients: " << e.what() << '\n';
    status = 1;
  }
  std::error_code ignored;
  std::filesystem::remove_all(pin, ignored);
  return status;
}
