// SPDX-License-Identifier: BSD-2-Clause
// The responder as a filter, for comparing it with other servers: `respond_stdio APEX FILE` reads queries from standard
// input, each behind its length in two octets (as over TCP), and writes the replies alike; length 0 where there is
// none.
#include <array>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <vector>

#include "agent/dns/master_file.hpp"
#include "agent/dns/respond.hpp"

int main(int count, char** arguments) {
  using namespace nearside;
  if (count != 3) {
    std::cerr << "usage: respond_stdio APEX MASTER-FILE\n";
    return 2;
  }
  try {
    dns::zone zone(dns::name::from_text(arguments[1]).value());
    std::vector<dns::master_error> errors;
    dns::read_master_file(arguments[2], 3600, zone, errors);
    for (const auto& e : errors) std::cerr << e.file << ':' << e.line << ": " << e.message << '\n';
    if (!errors.empty()) return 1;
    zone.check().value();
    dns::zone_set zones;
    zones.add(std::move(zone)).value();

    std::array<std::uint8_t, 2> length{};
    while (std::fread(length.data(), 1, length.size(), stdin) == length.size()) {
      std::vector<std::uint8_t> message(static_cast<std::size_t>(length[0] << 8U | length[1]));
      if (std::fread(message.data(), 1, message.size(), stdin) != message.size()) return 1;
      const auto reply = dns::respond(zones, {}, {}, message, {.tcp = true, .alternative = 0});
      length = {static_cast<std::uint8_t>(reply.size() >> 8U), static_cast<std::uint8_t>(reply.size())};
      std::fwrite(length.data(), 1, length.size(), stdout);
      std::fwrite(reply.data(), 1, reply.size(), stdout);
      std::fflush(stdout);
    }
  } catch (const failure& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
  return 0;
}
