// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/connection_table.hpp"

#include <catch2/catch.hpp>
#include <vector>

using boost::asio::ip::make_address;
using nearside::connection_table;

namespace {

boost::asio::ip::address client(int number) { return make_address("192.0.2." + std::to_string(number)); }

}  // namespace

TEST_CASE("a full table gives up the longest idle connection", "[serve][connections]") {
  connection_table table(4);
  std::vector<connection_table::id> ids;
  for (int i = 1; i <= 4; ++i) {
    const auto taken = table.admit(client(i));
    CHECK_FALSE(taken.evicted);
    ids.push_back(taken.admitted);
  }
  table.touch(ids[0]);
  CHECK(table.admit(client(5)).evicted == ids[1]);
  CHECK(table.size() == 4);
}

TEST_CASE("a client with a quarter of the connections loses one of its own, not another's", "[serve][connections]") {
  connection_table table(8);
  const auto other = table.admit(client(1)).admitted;
  const auto first = table.admit(client(2)).admitted;
  const auto second = table.admit(client(2)).admitted;
  table.touch(first);
  CHECK(table.admit(client(2)).evicted == second);
  CHECK(table.size() == 3);
  table.remove(other);
  CHECK(table.size() == 2);
}

TEST_CASE("the addresses of one IPv6 /64 are one client", "[serve][connections]") {
  connection_table table(4);
  const auto first = table.admit(make_address("2001:db8::1")).admitted;
  CHECK(table.admit(make_address("2001:db8::ffff:0:0:2")).evicted == first);
  CHECK_FALSE(table.admit(make_address("2001:db8:0:1::1")).evicted);
}

TEST_CASE("an IPv4-mapped address is the client of the IPv4 address", "[serve][connections]") {
  CHECK(connection_table::client_of(make_address("::ffff:192.0.2.1")) == make_address("192.0.2.1"));
}

TEST_CASE("a connection that ended makes room", "[serve][connections]") {
  connection_table table(1);
  const auto first = table.admit(client(1)).admitted;
  table.remove(first);
  CHECK(table.size() == 0);
  CHECK_FALSE(table.admit(client(1)).evicted);
}

TEST_CASE("removing a connection that was evicted changes nothing", "[serve][connections]") {
  connection_table table(1);
  const auto first = table.admit(client(1)).admitted;
  CHECK(table.admit(client(2)).evicted == first);
  table.remove(first);
  table.touch(first);
  CHECK(table.size() == 1);
}

TEST_CASE("a limit of zero still lets one connection in", "[serve][connections]") {
  connection_table table(0);
  CHECK_FALSE(table.admit(client(1)).evicted);
}
