// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/echo_packet.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

using namespace nearside::probe;
using boost::asio::ip::make_address;

namespace {

constexpr echo_id asked{0x1234, 0xfffe, 0x0102030405060708};

std::uint16_t sum_of(std::span<const std::uint8_t> octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2)
    sum += static_cast<std::uint32_t>(octets[i] << 8) + (i + 1 < octets.size() ? octets[i + 1] : 0U);
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void seal(std::vector<std::uint8_t>& message) {
  message[2] = message[3] = 0;
  const auto sum = sum_of(message);
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum);
}

std::vector<std::uint8_t> in_ipv4(const std::vector<std::uint8_t>& message, std::size_t options = 0) {
  std::vector<std::uint8_t> packet(20 + options);
  packet[0] = static_cast<std::uint8_t>(0x40 + packet.size() / 4);
  packet[9] = 1;
  packet[16] = 192;
  packet[18] = 2;
  packet[19] = 80;
  packet.insert(packet.end(), message.begin(), message.end());
  return packet;
}

/// The request, turned into the reply that a host would send.
std::vector<std::uint8_t> reply(bool v6) {
  const auto request = echo_request(asked, v6);
  std::vector<std::uint8_t> message(request.begin(), request.end());
  message[0] = v6 ? 129 : 0;
  seal(message);
  return message;
}

/// A destination-unreachable that quotes the request, as sent to 192.0.2.80 or 2001:db8::80.
std::vector<std::uint8_t> unreachable(bool v6) {
  const auto request = echo_request(asked, v6);
  std::vector<std::uint8_t> message(8);
  message[0] = v6 ? 1 : 3;
  message[1] = 1;
  if (v6) {
    std::vector<std::uint8_t> header(40);
    header[0] = 0x60;
    header[6] = 58;
    const auto to = make_address("2001:db8::80").to_v6().to_bytes();
    std::ranges::copy(to, header.begin() + 24);
    message.insert(message.end(), header.begin(), header.end());
  } else {
    const auto header = in_ipv4({});
    message.insert(message.end(), header.begin(), header.end());
  }
  message.insert(message.end(), request.begin(), request.begin() + 8);
  seal(message);
  return message;
}

}  // namespace

TEST_CASE("a request for IPv4 has a right checksum, one for IPv6 leaves it to the kernel", "[probe][icmp]") {
  const auto v4 = echo_request(asked, false);
  CHECK(v4[0] == 8);
  CHECK(sum_of(v4) == 0);
  const auto v6 = echo_request(asked, true);
  CHECK(v6[0] == 128);
  CHECK(v6[2] == 0);
  CHECK(v6[3] == 0);
}

TEST_CASE("a reply tells which request it is for, also behind IP options", "[probe][icmp]") {
  for (const std::size_t options : {0U, 8U, 40U}) {
    const auto answer = read_echo_v4(in_ipv4(reply(false), options));
    REQUIRE(answer.has_value());
    CHECK_FALSE(answer->unreachable);
    CHECK(answer->id == asked);
  }
  const auto answer = read_echo_v6(reply(true));
  REQUIRE(answer.has_value());
  CHECK(answer->id == asked);
}

TEST_CASE("a destination-unreachable tells which request it is for, and where that went", "[probe][icmp]") {
  const auto v4 = read_echo_v4(in_ipv4(unreachable(false)));
  REQUIRE(v4.has_value());
  CHECK(v4->unreachable);
  CHECK(v4->id == echo_id{asked.identifier, asked.sequence, 0});
  CHECK(v4->about == make_address("192.0.2.80"));
  const auto v6 = read_echo_v6(unreachable(true));
  REQUIRE(v6.has_value());
  CHECK(v6->unreachable);
  CHECK(v6->id == echo_id{asked.identifier, asked.sequence, 0});
  CHECK(v6->about == make_address("2001:db8::80"));
}

TEST_CASE("a reply over IPv4 with a wrong checksum is passed over", "[probe][icmp]") {
  auto packet = in_ipv4(reply(false));
  packet.back() ^= 1;
  CHECK_FALSE(read_echo_v4(packet));
}

TEST_CASE("whatever is cut off or of another kind is passed over", "[probe][icmp]") {
  for (const auto& packet : {in_ipv4(reply(false)), in_ipv4(unreachable(false))})
    for (std::size_t length = 0; length < packet.size(); ++length)
      CHECK_FALSE(read_echo_v4(std::span(packet).first(length)));
  for (const auto& message : {reply(true), unreachable(true)})
    for (std::size_t length = 0; length < message.size(); ++length)
      CHECK_FALSE(read_echo_v6(std::span(message).first(length)));

  auto request = reply(false);
  request[0] = 8;
  seal(request);
  CHECK_FALSE(read_echo_v4(in_ipv4(request)));
  auto udp = in_ipv4(reply(false));
  udp[9] = 17;
  CHECK_FALSE(read_echo_v4(udp));
  auto long_header = in_ipv4(reply(false));
  long_header[0] = 0x4f;
  CHECK_FALSE(read_echo_v4(long_header));
  auto about_udp = unreachable(true);
  about_udp[8 + 6] = 17;
  CHECK_FALSE(read_echo_v6(about_udp));
}
