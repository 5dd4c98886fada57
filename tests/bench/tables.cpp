// SPDX-License-Identifier: BSD-2-Clause
// Fills the kernel's tables through the publisher, as the agent would, and leaves them pinned with a lease of an hour:
//   nearside_bench_tables --pin /sys/fs/bpf/nearside-bench-1000 --names 1000
#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <iostream>

#include "agent/dataplane/lease.hpp"
#include "agent/dataplane/listen.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dns/zone.hpp"
#include "tests/bench/queries.hpp"

namespace {

using namespace nearside;

constexpr std::uint16_t TYPE_A = 1;
constexpr std::uint16_t TYPE_NS = 2;
constexpr std::uint16_t TYPE_SOA = 6;
constexpr std::uint32_t TTL = 20;

dns::name name_of(const std::string& text) { return dns::name::from_text(text).value(); }

dns::rdata rdata_of(const dns::name& name) { return {name.wire().begin(), name.wire().end()}; }

dns::zone make_zone(std::size_t names) {
  const dns::name apex = name_of(bench::ZONE);
  const dns::name server = name_of("ns." + std::string(bench::ZONE));
  dns::zone zone(apex);
  dns::rdata soa = rdata_of(server);
  const dns::rdata mailbox = rdata_of(name_of("hostmaster." + std::string(bench::ZONE)));
  soa.insert(soa.end(), mailbox.begin(), mailbox.end());
  const std::array<std::uint8_t, 20> numbers{0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 2, 88, 0, 9, 58, 128, 0, 0, 0, 30};
  soa.insert(soa.end(), numbers.begin(), numbers.end());
  zone.add(apex, TYPE_SOA, TTL, soa).value();
  zone.add(apex, TYPE_NS, TTL, rdata_of(server)).value();
  zone.add(server, TYPE_A, TTL, {192, 0, 2, 53}).value();
  for (std::size_t i = 0; i < names; ++i) {
    const auto address = bench::server_of(i);
    zone.add(name_of(bench::name_text(i)), TYPE_A, TTL, {address.begin(), address.end()}).value();
  }
  return zone;
}

void fill(const std::string& pin, std::size_t names) {
  dataplane::map_sizes sizes;
  // A quarter more than is used, as one would configure it.
  sizes.names = static_cast<std::uint32_t>(std::max<std::size_t>(names + names / 4, sizes.names));
  const auto tables = dataplane::object::open_or_create(pin, sizes).value();
  auto publisher = dataplane::publisher::adopt(tables).value();
  dns::zone_set zones;
  zones.add(make_zone(names)).value();
  const std::array addresses{boost::asio::ip::make_address("192.0.2.53")};
  dataplane::set_listen(tables, 53, addresses).value();
  const auto stats = publisher.publish(zones, {}, {}).value();
  for (const auto& note : stats.notes) std::cerr << note << '\n';
  dataplane::lease::calibrate(tables).value().renew(tables, std::chrono::hours(1)).value();
  std::cout << R"({"names":)" << stats.names << R"(,"sets":)" << stats.sets << "}" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fills the kernel's tables for the benchmark");
  std::string pin;
  std::size_t names = 1;
  app.add_option("--pin", pin, "where programs and maps are pinned")->required();
  app.add_option("--names", names, "how many names to install")->check(CLI::Range(std::size_t{1}, bench::MAX_NAMES));
  CLI11_PARSE(app, argc, argv);
  try {
    fill(pin, names);
  } catch (const std::exception& e) {
    std::cerr << "nearside_bench_tables: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
