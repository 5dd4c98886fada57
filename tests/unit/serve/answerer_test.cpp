// SPDX-License-Identifier: BSD-2-Clause
#include "agent/serve/answerer.hpp"

#include <catch2/catch.hpp>
#include <set>

namespace dns = nearside::dns;
namespace serve = nearside::serve;
using octets = std::vector<std::uint8_t>;

namespace {

const octets refused_query{0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'w', 'w', 0, 0, 1, 0, 1};

const auto client = boost::asio::ip::make_address("192.0.2.7");
const auto ours = boost::asio::ip::make_address("192.0.2.53");

struct fixture {
  serve::pick_source picks{1};
  serve::answerer answers{{std::make_shared<dns::zone_set>(), std::make_shared<dns::choices>(), {}}, picks};
};

}  // namespace

TEST_CASE_METHOD(fixture, "a reply is counted by its RCODE", "[serve][answerer]") {
  const auto reply = answers.answer(refused_query, serve::transport::udp, client, ours);
  REQUIRE(reply.size() == refused_query.size());
  CHECK(answers.count.rcodes[5] == 1);
}

TEST_CASE_METHOD(fixture, "a response gets no reply and counts under no RCODE", "[serve][answerer]") {
  octets response = refused_query;
  response[2] = 0x80;
  CHECK(answers.answer(response, serve::transport::tcp, client, ours).empty());
  for (const auto count : answers.count.rcodes) CHECK(count == 0);
}

TEST_CASE_METHOD(fixture, "new content is in force from the next message on", "[serve][answerer]") {
  const auto next = std::make_shared<dns::zone_set>();
  answers.publish({next, std::make_shared<dns::choices>(), {.id = "e17", .version = ""}});
  CHECK(answers.in_force().zones == next);
  CHECK(answers.in_force().self.id == "e17");
}

TEST_CASE("equal seeds pick equally, and picks reach every alternative", "[serve][pick]") {
  serve::pick_source one(7);
  serve::pick_source same(7);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto pick = one.next();
    CHECK(pick == same.next());
    seen.insert(pick % 3);
  }
  CHECK(seen.size() == 3);
}
