// SPDX-License-Identifier: BSD-2-Clause
// Fills the kernel's tables through the publisher, as the agent would, and leaves them pinned with a lease of an hour:
//   nearside_bench_tables --pin /sys/fs/bpf/nearside-bench-1000 --names 1000
// With --rows the names are mapped ones, and as many resolvers are referred by as many rows.
#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <iostream>

#include "agent/dataplane/client_table.hpp"
#include "agent/dataplane/lease.hpp"
#include "agent/dataplane/listen.hpp"
#include "agent/dataplane/object.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dns/zone.hpp"
#include "tests/bench/kernel/client_rows.h"
#include "tests/bench/queries.hpp"
#include "tests/support/load_rows.hpp"

namespace {

using namespace nearside;

constexpr std::uint16_t TYPE_A = 1;
constexpr std::uint16_t TYPE_NS = 2;
constexpr std::uint16_t TYPE_SOA = 6;
constexpr std::uint16_t TYPE_AAAA = 28;
constexpr std::uint32_t TTL = 20;
constexpr std::uint32_t MAPPED_TTL = 60;

dns::name name_of(const std::string& text) { return dns::name::from_text(text).value(); }

dns::rdata rdata_of(const dns::name& name) { return {name.wire().begin(), name.wire().end()}; }

dns::zone make_zone(std::size_t names, bool mapped) {
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
    if (mapped) {
      zone.map(name_of(bench::name_text(i)), static_cast<std::uint32_t>(i)).value();
      continue;
    }
    const auto address = bench::server_of(i);
    zone.add(name_of(bench::name_text(i)), TYPE_A, TTL, {address.begin(), address.end()}).value();
  }
  return zone;
}

/// Of a site: its own edge and the next one, with addresses of both families.
std::shared_ptr<const dns::referral> referral_of(std::uint32_t site) {
  auto made = std::make_shared<dns::referral>();
  made->servers = {TYPE_NS, MAPPED_TTL, false, {}, dns::no_pool};
  for (const std::uint32_t edge : {site, site + 1}) {
    const auto owner = name_of(bench::edge_text(edge));
    const auto low = static_cast<std::uint8_t>(edge), middle = static_cast<std::uint8_t>(edge >> 8);
    made->servers.rdatas.push_back(rdata_of(owner));
    made->addresses.push_back({owner, {TYPE_A, MAPPED_TTL, false, {{198, 18, middle, low}}, dns::no_pool}});
    made->addresses.push_back(
        {owner,
         {TYPE_AAAA, MAPPED_TTL, false, {{0x20, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, middle, low}}, dns::no_pool}});
  }
  return made;
}

/// Rows of /32, and a referral for each site. Sites are told first, then rows.
void map_clients(const dataplane::object& tables, dataplane::publisher& publisher, const dns::zone_set& zones,
                 std::uint32_t rows, std::uint32_t sites) {
  const auto group = publisher.site_groups().front();
  for (std::uint32_t site = 0; site <= sites; ++site) {
    const auto image = dataplane::render_referral(zones, group.representative, referral_of(site)).value();
    const std::array change{dataplane::site_change{group.number, site, {{image}, false}}};
    for (const auto& note : publisher.set_sites(change).notes) throw std::runtime_error(note);
  }
  std::vector<dataplane::client_row> all;
  all.reserve(rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    all.push_back({{boost::asio::ip::address_v4(bench_address4(i)), 32}, bench_site(i, sites), {}});
  }
  dataplane::client_table clients(tables);
  for (const auto& note : tests::load_rows(clients, all).notes) throw std::runtime_error(note);
}

void fill(const std::string& pin, std::size_t names, std::uint32_t rows, std::uint32_t sites) {
  dataplane::map_sizes sizes;
  // A quarter more than is used, as one would configure it.
  sizes.names = static_cast<std::uint32_t>(std::max<std::size_t>(names + names / 4, sizes.names));
  if (rows > 0) {
    sizes.mapping4 = rows;
    sizes.sites = sites + 1;
    sizes.large_images = std::max(sizes.large_images, sizes.sites);
  }
  const auto tables = dataplane::object::open_or_create(pin, sizes).value();
  auto publisher = dataplane::publisher::adopt(tables).value();
  dns::zone_set zones;
  zones.add(make_zone(names, rows > 0)).value();
  const std::array addresses{boost::asio::ip::make_address("192.0.2.53")};
  dataplane::set_listen(tables, 53, addresses).value();
  const std::vector<dataplane::site_rule> rules(rows > 0 ? names : 0, {true, false, MAPPED_TTL});
  const auto stats = publisher.publish(zones, {}, {}, rules).value();
  for (const auto& note : stats.notes) std::cerr << note << '\n';
  if (rows > 0) map_clients(tables, publisher, zones, rows, sites);
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
  std::uint32_t rows = 0;
  app.add_option("--rows", rows, "how many rows of a mapping; 0: none")->check(CLI::Range(0u, 1u << 24));
  std::uint32_t sites = BENCH_SITES;
  app.add_option("--sites", sites, "how many lists of edges the rows have")
      ->check(CLI::Range(1u, std::uint32_t{BENCH_SITES}));
  CLI11_PARSE(app, argc, argv);
  try {
    fill(pin, names, rows, std::min(rows, sites));
  } catch (const std::exception& e) {
    std::cerr << "nearside_bench_tables: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
