// SPDX-License-Identifier: BSD-2-Clause
#include "agent/backbone/port_question.hpp"

#include <catch2/catch.hpp>

using namespace nearside;
using backbone::port_question;

namespace {

constexpr std::uint16_t id = 0x1234;

struct asked {
  port_question question{dns::name::from_text("www.lb.example.com.").value()};
  std::vector<std::uint8_t> query;
  std::vector<std::uint8_t> reply;
  asked() {
    question.write(query, id);
    reply = query;
    reply[2] = 0x84;  // QR, AA
  }
  [[nodiscard]] std::optional<std::string_view> judged() const { return question.judge(reply, id); }
};

}  // namespace

TEST_CASE("the question is the SOA of the name, without RD", "[backbone][port]") {
  const asked one;
  CHECK(one.query == std::vector<std::uint8_t>{0x12, 0x34, 0,   0,   0,   1,   0,   0, 0,   0,   0,   0,
                                               3,    'w',  'w', 'w', 2,   'l', 'b', 7, 'e', 'x', 'a', 'm',
                                               'p',  'l',  'e', 3,   'c', 'o', 'm', 0, 0,   6,   0,   1});
}

TEST_CASE("an authoritative reply without error is good, whatever follows the question", "[backbone][port]") {
  asked one;
  CHECK(one.judged() == "");
  one.reply.insert(one.reply.end(), {0xc0, 0x0c, 0xff});
  CHECK(one.judged() == "");
  for (auto& octet : one.reply)
    if (octet >= 'a' && octet <= 'z') octet = static_cast<std::uint8_t>(octet - 32);
  CHECK(one.judged() == "");
}

TEST_CASE("what is wrong with a reply is told", "[backbone][port]") {
  asked one;
  one.reply[2] = 0x80;
  CHECK(one.judged() == "not authoritative");
  one.reply[3] = 2;
  CHECK(one.judged() == "SERVFAIL");
  one.reply[3] = 5;
  CHECK(one.judged() == "REFUSED");
  one.reply[3] = 0;
  one.reply[2] = 0x86;
  CHECK(one.judged() == "truncated");
}

TEST_CASE("what does not echo the question and its ID is no reply to it", "[backbone][port]") {
  asked one;
  CHECK_FALSE(one.question.judge(one.reply, id + 1));
  CHECK_FALSE(one.question.judge(one.query, id));
  for (const std::size_t place : {2U, 5U, 13U, 20U, 33U, 35U}) {
    asked other;
    other.reply[place] ^= 0x08U;  // OPCODE, QDCOUNT, letters, QTYPE, QCLASS
    CHECK_FALSE(other.judged());
  }
  for (std::size_t length = 0; length < one.reply.size(); ++length)
    CHECK_FALSE(one.question.judge(std::span(one.reply).first(length), id));
}
