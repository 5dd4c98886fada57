// SPDX-License-Identifier: BSD-2-Clause
// Writes a store of so many edges with so many rows each, for tests/net/backbone_alone.py.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include "agent/backbone/store.hpp"

namespace {

/// 2001:db8:17::, the edge's number in the last four octets.
boost::asio::ip::address_v6 service6(unsigned edge) {
  boost::asio::ip::address_v6::bytes_type octets{0x20, 0x01, 0x0d, 0xb8, 0x00, 0x17};
  for (unsigned i = 0; i < 4; ++i) octets[15 - i] = static_cast<std::uint8_t>(edge >> 8 * i);
  return boost::asio::ip::address_v6(octets);
}

}  // namespace

int main(int count, char** words) {
  using namespace nearside;
  using namespace std::chrono_literals;
  std::string file;
  unsigned edges = 100'000;
  unsigned rows = 1;
  CLI::App app("Fills a store", "fill_store");
  app.add_option("--file", file)->required();
  app.add_option("--edges", edges);
  app.add_option("--rows", rows);
  CLI11_PARSE(app, count, words);
  boost::asio::io_context io;
  backbone::store_settings settings;
  settings.file = file;
  const auto kept = backbone::store::open(io.get_executor(), settings).value();
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (unsigned i = 0; i < edges; ++i) {
    mapping::edge_record record;
    record.edge = "e" + std::to_string(i) + ".ns.lb.example.com.";
    record.sequence = 1'800'000'000'000'000 + i;
    record.accepted_by = "b1.ns.lb.example.com.";
    record.registered = now;
    record.expires = now + 1h;
    record.addresses = {boost::asio::ip::address_v4(0xc0000200U + i), service6(i)};
    for (unsigned r = 0; r < rows; ++r)
      record.egresses.push_back(
          {mapping::prefix_of(boost::asio::ip::address_v4(0x0b000000U + i * rows + r), 32), 4200us, now});
    kept->put(record);
  }
  while (kept->count().written < edges && kept->count().failed == 0) ::usleep(10'000);
  std::cerr << kept->count().last_error;
  return kept->count().failed == 0 ? 0 : 1;
}
