// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <catch2/catch.hpp>

#include "agent/dataplane/events.hpp"
#include "agent/dataplane/image.hpp"
#include "agent/dataplane/lease.hpp"
#include "agent/dataplane/listen.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dns/respond.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"
#include "tests/bpf/dataplane/zones.hpp"

using namespace nearside;
using namespace nearside::dataplane;
using namespace nearside::tests;
using namespace std::chrono_literals;

namespace {

using octets = std::vector<std::uint8_t>;
constexpr std::size_t ethernet_octets = 14;
constexpr std::size_t ip_octets = 20;
constexpr std::size_t udp_octets = 8;
constexpr std::size_t message_at = ethernet_octets + ip_octets + udp_octets;

void put16(octets& to, std::size_t at, std::size_t value) {
  to[at] = static_cast<std::uint8_t>(value >> 8);
  to[at + 1] = static_cast<std::uint8_t>(value);
}

// checksum_of() sums little-endian words, so what it gives is stored as it is in memory.
void put_checksum(octets& frame, std::size_t at, std::uint16_t sum) {
  const auto value = static_cast<std::uint16_t>(~sum);
  frame[at] = static_cast<std::uint8_t>(value);
  frame[at + 1] = static_cast<std::uint8_t>(value >> 8);
}

octets query(const std::string& owner, std::uint16_t qtype) {
  octets message{0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  const auto name = name_of(owner);
  message.insert(message.end(), name.wire().begin(), name.wire().end());
  message.insert(message.end(), {static_cast<std::uint8_t>(qtype >> 8), static_cast<std::uint8_t>(qtype), 0, 1});
  return message;
}

// From 198.51.100.7 port 40000 to 192.0.2.53 port 53.
octets frame_of(const octets& message) {
  octets frame(message_at);
  frame[12] = 0x08;
  const octets ip{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 7, 192, 0, 2, 53};
  std::copy(ip.begin(), ip.end(), frame.begin() + ethernet_octets);
  put16(frame, ethernet_octets + 2, ip_octets + udp_octets + message.size());
  put_checksum(frame, ethernet_octets + 10, checksum_of(std::span(frame).subspan(ethernet_octets, ip_octets)));
  put16(frame, 34, 40000);
  put16(frame, 36, 53);
  put16(frame, 38, udp_octets + message.size());
  frame.insert(frame.end(), message.begin(), message.end());
  octets sums(frame.begin() + 26, frame.end());
  sums.insert(sums.begin(), {0, 17, frame[38], frame[39]});
  put_checksum(frame, 40, checksum_of(sums));
  return frame;
}

struct outcome {
  std::uint32_t action;
  octets message;
};

outcome run(const object& tables, const octets& message) {
  octets in = frame_of(message);
  octets out(4096);
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = in.data();
  options.data_size_in = static_cast<std::uint32_t>(in.size());
  options.data_out = out.data();
  options.data_size_out = static_cast<std::uint32_t>(out.size());
  options.repeat = 1;
  REQUIRE(bpf_prog_test_run_opts(tables.program(), &options) == 0);
  out.resize(options.data_size_out);
  return {options.retval, octets(out.begin() + message_at, out.end())};
}

}  // namespace

TEST_CASE("what is published is what the program answers, octet for octet", "[publish][answer]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const std::string long_name = std::string(60, 'x') + ".lb.example.";
  const auto zones = zone_builder()
                         .servers("www.lb.example.", {"192.0.2.1", "2001:db8::1"})
                         .servers(long_name, {"192.0.2.2"})
                         .text("www.lb.example.", "hello")
                         .target("alias.lb.example.", 5, "www.lb.example.")
                         .alone();
  auto publisher = publisher::adopt(tables).value();
  publisher.publish(zones, {}, {}).value();
  set_listen(tables, 53, std::vector{boost::asio::ip::make_address("192.0.2.53")}).value();
  const auto www = query("www.lb.example.", 1);
  CHECK(run(tables, www).action == XDP_PASS);  // no lease yet
  const auto lease = lease::calibrate(tables).value();
  lease.renew(tables, 60s).value();

  for (const auto& [owner, qtype] : std::vector<std::pair<std::string, std::uint16_t>>{{"www.lb.example.", 1},
                                                                                       {"WWW.lb.Example.", 28},
                                                                                       {"www.lb.example.", 16},
                                                                                       {"www.lb.example.", 15},
                                                                                       {"www.lb.example.", 257},
                                                                                       {long_name, 1},
                                                                                       {long_name, 28},
                                                                                       {"lb.example.", 6},
                                                                                       {"lb.example.", 2}}) {
    INFO(owner << " type " << qtype);
    const auto message = query(owner, qtype);
    const auto answered = run(tables, message);
    CHECK(answered.action == XDP_TX);
    CHECK(answered.message == dns::respond(zones, {}, {}, message, {}));
  }
  CHECK(run(tables, query("alias.lb.example.", 1)).action == XDP_PASS);
  CHECK(run(tables, query("nobody.lb.example.", 1)).action == XDP_PASS);

  publisher.publish(zone_builder().servers("www.lb.example.", {"192.0.2.9"}).alone(), {}, {}).value();
  const auto changed = run(tables, www);
  CHECK(changed.action == XDP_TX);
  CHECK(changed.message.back() == 9);
  CHECK(run(tables, query(long_name, 1)).action == XDP_PASS);
  lease.end(tables);
  CHECK(run(tables, www).action == XDP_PASS);
}

TEST_CASE("sampled queries come out of the ring buffer", "[events][answer]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  set_listen(tables, 53, std::vector{boost::asio::ip::make_address("192.0.2.53")}).value();
  lease::calibrate(tables).value().renew(tables, 60s).value();
  std::vector<query_event> seen;
  auto reader = event_reader::open(tables, [&seen](const query_event& e) { seen.push_back(e); }).value();
  run(tables, query("www.lb.example.", 28));
  CHECK(reader.consume().value() == 0);
  tables.config().sample_interval = 1;
  run(tables, query("www.lb.example.", 28));
  CHECK(reader.consume().value() == 1);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].verdict == VERDICT_PASS_NAME);
  CHECK(ntohs(seen[0].qtype) == 28);
  CHECK(ntohs(seen[0].client_port) == 40000);
  CHECK(dns::name::from_wire(seen[0].qname).value() == name_of("www.lb.example."));
}
