// SPDX-License-Identifier: BSD-2-Clause
// nearside_bench_mapping: what the backbone's book costs: registrations a second with their JSON, the load of the
// records that the store keeps, memory an edge and a row, and a look-up. In-process, in CPU time of one thread;
// sockets, TLS and disk are left out. One JSON object.
//   nearside_bench_mapping --edges 100000 --rows 1000000
#include <malloc.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <random>

#include "agent/mapping/public_resolvers.hpp"
#include "agent/mapping/registry.hpp"

namespace {

using namespace nearside::mapping;
using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

const instant start = instant(std::chrono::seconds(1'800'000'000));

/// Seconds of CPU that this thread has had: others on the machine do not count.
double cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
double seconds_since(double began) { return cpu_time() - began; }
std::size_t octets_in_use() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

registry_settings settings(std::size_t edges) {
  registry_settings s;
  s.node = "b1.ns.lb.example.com.";
  s.nonce_zone = "b1.who.lb.example.com.";
  s.master.fill(7);
  s.most_edges = edges;
  s.claims.public_resolvers = well_known_public_resolvers();
  return s;
}

std::string name_of(std::size_t edge) { return "e" + std::to_string(edge) + ".ns.lb.example.com."; }
address service_of(std::size_t edge) { return address_v4(static_cast<std::uint32_t>(0xC6120000U + edge)); }
/// Every fourth one is IPv6; none is within a range of public resolvers.
address egress_of(std::size_t row) {
  if (row % 4 != 3) return address_v4(static_cast<std::uint32_t>(0x50000000U + row));
  address_v6::bytes_type octets{0x20, 0x01, 0x0d, 0xb8};
  for (std::size_t i = 0; i < 4; ++i) octets[4 + i] = static_cast<std::uint8_t>(row >> (24 - 8 * i));
  octets[15] = 0x53;
  return address_v6(octets);
}

/// A registration and renewals as they come in: parsed, judged, answered with JSON.
boost::json::object registrations(std::size_t edges, std::size_t egresses) {
  registry book(settings(edges));
  std::vector<credentials> certificates;
  std::vector<std::string> first;
  std::vector<std::string> second;
  std::vector<std::string> renewals;
  for (std::size_t e = 0; e < edges; ++e) {
    registration m;
    m.edge = name_of(e);
    m.sequence = 1;
    m.addresses = {service_of(e)};
    certificates.push_back({{m.edge}, {}});
    first.push_back(to_json(m, true));
    m.sequence = 3;
    renewals.push_back(to_json(m, false));
  }
  std::size_t answered = 0;
  const auto accept = [&](const std::vector<std::string>& bodies, bool content) {
    const auto began = cpu_time();
    for (std::size_t e = 0; e < bodies.size(); ++e) {
      const auto message = parse_registration(bodies[e], content);
      const auto done = content ? book.accept(certificates[e], message.value(), start)
                                : book.renew(certificates[e], message.value(), start);
      const auto& answer = std::get<registered>(done);
      answered += to_json(answer).size();
      for (const egress_verdict& verdict : answer.egresses)
        if (!verdict.accepted) throw std::runtime_error("an egress is not accepted: " + verdict.reason);
    }
    static_cast<void>(book.take_changes());
    return static_cast<double>(bodies.size()) / seconds_since(began);
  };
  const double new_edges = accept(first, true);

  std::vector<std::pair<std::string, address>> asked;
  for (std::size_t e = 0; e < edges; ++e) {
    registration m;
    m.edge = name_of(e);
    m.sequence = 2;
    m.addresses = {service_of(e)};
    for (std::size_t i = 0; i < egresses; ++i) {
      const address egress = egress_of(e * egresses + i);
      const std::string label =
          label_of({book.find(m.edge)->id, static_cast<std::uint32_t>(i)}, key_of_edge(settings(0).master, m.edge));
      asked.emplace_back(label, egress);
      m.egresses.push_back({egress, label, std::chrono::microseconds(500 + i)});
    }
    second.push_back(to_json(m, true));
  }
  const auto began = cpu_time();
  for (const auto& [label, egress] : asked) book.sighted(book.verified(label).value(), egress, start);
  const double sightings = static_cast<double>(asked.size()) / seconds_since(began);
  const double proved = accept(second, true);
  const double renewed = accept(renewals, false);
  return {{"edges", edges},
          {"egresses_each", egresses},
          {"registrations_a_second", new_edges},
          {"sightings_a_second", sightings},
          {"registrations_with_egresses_a_second", proved},
          {"renewals_a_second", renewed},
          {"octets_an_answer", static_cast<double>(answered) / static_cast<double>(3 * edges)}};
}

/// As after a restart: records as the store has them, up to the first changes for the kernel.
boost::json::object load(std::size_t edges, std::size_t rows, bool shared) {
  std::vector<std::string> stored;
  const std::size_t each = rows / edges;
  for (std::size_t e = 0; e < edges; ++e) {
    edge_record r;
    r.edge = name_of(e);
    r.sequence = 1'800'000'000'000'000 + e;
    r.accepted_by = "b1.ns.lb.example.com.";
    r.registered = start;
    r.expires = start + std::chrono::seconds(300);
    r.addresses = {service_of(e)};
    for (std::size_t i = 0; i < each; ++i)
      r.egresses.push_back({key_of(egress_of(e * each + i)), std::chrono::microseconds(500 + i), start});
    // Half of the resolvers have a second edge beside them.
    if (shared)
      for (std::size_t i = 0; i < each / 2; ++i)
        r.egresses.push_back({key_of(egress_of((e + 1) % edges * each + i)), std::chrono::microseconds(9000), start});
    std::sort(r.egresses.begin(), r.egresses.end(), [](auto& a, auto& b) { return a.who < b.who; });
    stored.push_back(to_json(r));
  }
  std::size_t text = 0;
  for (const std::string& s : stored) text += s.size();

  malloc_trim(0);
  const std::size_t before = octets_in_use();
  auto began = cpu_time();
  auto book = std::make_unique<registry>(settings(edges));
  for (const std::string& s : stored)
    if (!book->adopt(parse_record(s).value(), true, start)) throw std::runtime_error("a record is not adopted");
  const double loaded = seconds_since(began);
  began = cpu_time();
  auto told = book->take_changes();
  const double taken = seconds_since(began);
  if (told.rows.rows.size() != book->rows().size()) throw std::runtime_error("not every row is told");
  const std::size_t sites = told.rows.new_sites.size();
  told = {};
  const std::size_t with_rows = octets_in_use() - before;
  const std::size_t found = book->rows().size();

  // Everywhere, and where nothing is.
  std::mt19937_64 random(3);
  std::vector<address> asked;
  for (int i = 0; i < 1'000'000; ++i) asked.push_back(egress_of(random() % (rows + rows / 8)));
  began = cpu_time();
  std::size_t hits = 0;
  for (const address& a : asked) hits += book->rows().find(a) != nullptr ? 1 : 0;
  const double each_find = seconds_since(began) / static_cast<double>(asked.size()) * 1e9;

  // One edge's row changes.
  began = cpu_time();
  for (std::size_t i = 0; i < 1000; ++i) {
    edge_record r = book->find(name_of(i % edges))->record;
    r.sequence += edges;
    r.egresses.pop_back();
    book->adopt(std::move(r), false, start);
    told = book->take_changes();
    if (told.rows.rows.empty()) throw std::runtime_error("a change is not told");
  }
  const double change = seconds_since(began) / 1000 * 1e6;
  told = {};

  // The same edges without rows: what is left is theirs.
  auto bare = std::make_unique<registry>(settings(edges));
  const std::size_t before_bare = octets_in_use();
  for (const std::string& s : stored) {
    edge_record r = parse_record(s).value();
    r.egresses = std::vector<egress_record>();
    bare->adopt(std::move(r), true, start);
  }
  static_cast<void>(bare->take_changes());
  const std::size_t without_rows = octets_in_use() - before_bare;
  return {{"edges", edges},
          {"rows", found},
          {"sites", sites},
          {"claims", (rows / edges + (shared ? rows / edges / 2 : 0)) * edges},
          {"load_s", loaded},
          {"first_changes_s", taken},
          {"stored_octets_an_edge", static_cast<double>(text) / static_cast<double>(edges)},
          {"octets", with_rows},
          {"octets_an_edge", static_cast<double>(without_rows) / static_cast<double>(edges)},
          {"octets_a_row", static_cast<double>(with_rows - without_rows) / static_cast<double>(found)},
          {"find_ns", each_find},
          {"found", hits},
          {"change_us", change}};
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t edges = 100'000;
  std::size_t rows = 1'000'000;
  std::size_t egresses = 4;
  CLI::App app("What the backbone's book of edges and rows costs");
  app.add_option("--edges", edges, "registered")->check(CLI::Range(1, 131'072));
  app.add_option("--rows", rows, "in the table")->check(CLI::Range(1, 4'000'000));
  app.add_option("--egresses", egresses, "of each edge that registers")->check(CLI::Range(1, 256));
  CLI11_PARSE(app, argc, argv);
  try {
    boost::json::object found{{"registrations", registrations(edges, egresses)},
                              {"load", load(edges, rows, false)},
                              {"load_with_second_edges", load(edges, rows, true)}};
    std::cout << boost::json::serialize(found) << '\n';
  } catch (const std::exception& e) {
    std::cerr << "nearside_bench_mapping: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
