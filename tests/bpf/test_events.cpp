// SPDX-License-Identifier: BSD-2-Clause
// The sampled queries in the ring buffer, and the client -> site look-up.
#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "agent/dataplane/events.hpp"
#include "agent/dataplane/tables.hpp"
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

TEST_CASE("with several sites the client's prefix, or its ECS, chooses the answer and the scope", "[bpf][ecs][site]") {
  REQUIRE_KERNEL_SIDE();
  program p;
  const auto& tables = p.tables();
  // Two sites: the second half of each set's row. The sets are spread anew by hand: site 1 of every set answers as
  // `two` does.
  const auto one = query("one.lb.example.com");
  const auto before = tables.config().site_count;
  REQUIRE(before == 1);

  client_key4 key{.prefix_length = 24, .address = {192, 0, 2, 0}};
  client_site row{.site = 1, .scope = 24, .pad = 0};
  REQUIRE(bpf_map_update_elem(tables.fd(dataplane::map_id::clients4), &key, &row, BPF_ANY) == 0);
  client_key6 key6{.prefix_length = 32, .address = {0x20, 1, 0xd, 0xb8}};
  row.scope = 32;
  REQUIRE(bpf_map_update_elem(tables.fd(dataplane::map_id::clients6), &key6, &row, BPF_ANY) == 0);

  // With two sites the word at (set, site, class) is (set * 2 + site) * classes + class: write both for the set of
  // `one`.
  const auto words = tables.capacity(dataplane::map_id::answers);
  const auto find = [&](const char* owner) {
    return dataplane::find_name(tables, dns::name::from_text(owner).value()).value().value().set;
  };
  const auto set = find("one.lb.example.com."), other = find("two.lb.example.com.");
  const auto near_word = tables.load_answer(tables.answer_index(set, 0, TYPE_CLASS_A));
  auto far_word = tables.load_answer(tables.answer_index(other, 0, TYPE_CLASS_A));
  far_word.alternatives = 1;
  for (std::size_t i = 0; i < words; ++i) tables.store_answer(i, {});
  tables.config().site_count = 2;
  tables.store_answer(tables.answer_index(set, 0, TYPE_CLASS_A), near_word);
  tables.store_answer(tables.answer_index(set, 1, TYPE_CLASS_A), far_word);

  const auto answers = [&](const query& q) {
    const auto out = p.in_kernel(q.frame());
    const auto reply = take_apart(out.frame, q);
    CHECK(reply.fault == "");
    return reply.message;
  };
  const auto ancount = [](const octets& m) { return m.at(7); };
  CHECK(ancount(answers(query(one).from("203.0.113.5"))) == 1);
  CHECK(ancount(answers(query(one).from("192.0.2.5"))) == 2);
  CHECK(ancount(answers(query(one).over_ipv6())) == 2);
  CHECK(ancount(answers(query(one).over_ipv6().from("2001:db9::1"))) == 1);
  // ECS decides instead of the address, and its scope is the row's.
  auto reply = answers(query(one).from("203.0.113.5").ecs("192.0.2.0", 24));
  CHECK(ancount(reply) == 2);
  CHECK(reply[reply.size() - 4] == 24);
  reply = answers(query(one).from("192.0.2.5").ecs("198.51.100.0", 24));
  CHECK(ancount(reply) == 1);
  CHECK(reply[reply.size() - 4] == 0);
  // An ECS prefix that is shorter than the row does not tell enough.
  reply = answers(query(one).from("192.0.2.5").ecs("192.0.0.0", 16));
  CHECK(ancount(reply) == 1);
}

}  // namespace nearside::tests
