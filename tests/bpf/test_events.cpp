// SPDX-License-Identifier: BSD-2-Clause
// The sampled queries in the ring buffer.
#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "agent/dataplane/events.hpp"
#include "tests/bpf/program.hpp"

namespace nearside::tests {

TEST_CASE("each query is sent as an event where the interval is 1, and none where it is 0", "[bpf][events]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  std::vector<query_event> events;
  auto reader = dataplane::event_reader::open(p.tables(), [&](const query_event& e) { events.push_back(e); }).value();

  p.in_kernel(query("one.lb.example.com").frame());
  REQUIRE(reader.consume().value() == 0);

  p.tables().config().sample_interval = 1;
  p.in_kernel(query("One.lb.example.com").ports(40123, 53).frame());
  p.in_kernel(query("nothing.lb.example.com").over_ipv6().type(28).frame());
  p.in_kernel(query("one.lb.example.com").to("198.51.100.99").frame());  // not for us: no event
  REQUIRE(reader.consume().value() == 2);

  CHECK(events[0].verdict == VERDICT_ANSWERED);
  CHECK(events[0].qtype == htons(1));
  CHECK(events[0].client_port == htons(40123));
  std::uint8_t client[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  inet_pton(AF_INET, CLIENT_IPV4, client + 12);
  CHECK(std::memcmp(events[0].client, client, 16) == 0);
  CHECK(events[0].qname_length == 20);
  CHECK(std::memcmp(events[0].qname, "\3one\2lb\7example\3com", 20) == 0);

  CHECK(events[1].verdict == VERDICT_PASS_NAME);
  CHECK(events[1].qtype == htons(28));
  inet_pton(AF_INET6, CLIENT_IPV6, client);
  CHECK(std::memcmp(events[1].client, client, 16) == 0);
}

TEST_CASE("an event has nothing of an earlier query's longer name", "[bpf][events]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  std::vector<query_event> events;
  auto reader = dataplane::event_reader::open(p.tables(), [&](const query_event& e) { events.push_back(e); }).value();
  p.tables().config().sample_interval = 1;
  p.in_kernel(query("deep.er.ent.lb.example.com").frame());
  p.in_kernel(query("one.lb.example.com").frame());
  REQUIRE(reader.consume().value() == 2);
  for (std::size_t i = events[1].qname_length; i < sizeof(events[1].qname); ++i) REQUIRE(events[1].qname[i] == 0);
}

}  // namespace nearside::tests
