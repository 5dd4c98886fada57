// SPDX-License-Identifier: BSD-2-Clause
// nearside events: the sampled queries as they come, from the ring buffer; needs no agent once sampling is on.
#include "agent/dataplane/events.hpp"

#include <arpa/inet.h>
#include <poll.h>

#include <array>
#include <boost/asio/ip/address_v6.hpp>
#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>

#include "agent/dataplane/counters.hpp"
#include "agent/dns/name.hpp"
#include "agent/dns/rr_type.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace nearside::cli {
namespace {

struct event_arguments {
  std::uint64_t count = 0;  // 0: without end
  bool no_wait = false;
};

/// The wall clock's time of an event, "2026-11-23T11:20:11.042Z". The kernel stamps its monotonic clock.
std::string time_text(std::uint64_t monotonic_ns) {
  using namespace std::chrono;
  const auto age = steady_clock::now().time_since_epoch() - nanoseconds(monotonic_ns);
  const auto when = time_point_cast<milliseconds>(system_clock::now() - age);
  const std::time_t seconds = system_clock::to_time_t(floor<std::chrono::seconds>(when));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string fraction = std::to_string(1000 + when.time_since_epoch().count() % 1000).substr(1);
  return std::string(text.data(), length) + "." + fraction + "Z";
}

std::string client_text(const query_event& event) {
  boost::asio::ip::address_v6::bytes_type octets;
  std::copy(std::begin(event.client), std::end(event.client), octets.begin());
  const boost::asio::ip::address_v6 address(octets);
  if (!address.is_v4_mapped()) return address.to_string();
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address).to_string();
}

/// Empty where the program could not read the name.
std::string name_text(const query_event& event) {
  if (event.qname_length == 0) return {};
  const auto name = dns::name::from_wire(std::span(event.qname, event.qname_length));
  return name ? name->text() : std::string();
}

void print_event(const query_event& event, bool json) {
  const std::string name = name_text(event);
  const std::string type = name.empty() ? "" : dns::type_text(ntohs(event.qtype));
  if (json) {
    print_json({{"time", time_text(event.time_ns)},
                {"client", client_text(event)},
                {"port", ntohs(event.client_port)},
                {"name", name},
                {"type", type},
                {"verdict", dataplane::verdict_label(event.verdict)}});
  } else {
    std::cout << time_text(event.time_ns) << "  " << client_text(event) << '#' << ntohs(event.client_port) << "  "
              << (name.empty() ? "-" : name) << ' ' << (type.empty() ? "-" : type) << "  "
              << dataplane::verdict_label(event.verdict) << '\n';
  }
}

result<void> follow_events(const event_arguments& arguments, const common_options& common) {
  const auto tables = dataplane::object::open(common.pins);
  if (!tables) return tables.error();
  if (tables->config().sample_interval == 0 && !arguments.no_wait)
    return error{errc::invalid,
                 "no query is sampled: set sample_interval in [events] of the agent's configuration and reload it"};
  std::uint64_t shown = 0;
  const auto enough = [&] { return (arguments.count != 0 && shown >= arguments.count) || !std::cout; };
  auto reader = dataplane::event_reader::open(*tables, [&](const query_event& event) {
    if (enough()) return;
    print_event(event, common.json);
    ++shown;
  });
  if (!reader) return reader.error();
  while (true) {
    if (const auto consumed = reader->consume(); !consumed) return consumed.error();
    std::cout.flush();
    if (enough() || arguments.no_wait) return {};
    pollfd waiting{reader->fd(), POLLIN, 0};
    if (::poll(&waiting, 1, -1) < 0 && errno != EINTR) return system_error(errno, "map events: wait");
  }
}

}  // namespace

void add_events(command_line& commands) {
  const auto arguments = std::make_shared<event_arguments>();
  CLI::App& app = commands.add_verb("events", "The sampled queries, one a line, until Ctrl-C",
                                    "nearside events --count 20\n"
                                    "nearside events --json | jq .name",
                                    [arguments, &commands] { return follow_events(*arguments, commands.common()); });
  app.add_option("--count", arguments->count, "End after so many")->check(CLI::PositiveNumber)->type_name("N");
  app.add_flag("--no-wait", arguments->no_wait, "Print what is waiting and end");
}

}  // namespace nearside::cli
