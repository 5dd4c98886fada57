// SPDX-License-Identifier: BSD-2-Clause
#include "agent/base/deadline.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

using nearside::deadline;
using namespace std::chrono_literals;

TEST_CASE("a step that takes too long is given up, once", "[base][deadline]") {
  boost::asio::io_context loop;
  deadline bound(loop.get_executor());
  int given_up = 0;
  bound.give_up_by([&] { ++given_up; });
  bound.within(5ms);
  loop.run();
  CHECK(given_up == 1);
  CHECK(bound.expired());
}

TEST_CASE("a later step has its whole time, counted from its beginning", "[base][deadline]") {
  boost::asio::io_context loop;
  deadline bound(loop.get_executor());
  bound.give_up_by([] {});
  const auto begin = deadline::clock::now();
  bound.within(20ms);
  loop.run_for(10ms);
  bound.within(20ms);
  loop.run_for(15ms);
  CHECK_FALSE(bound.expired());
  loop.restart();
  loop.run();
  CHECK(bound.expired());
  CHECK(deadline::clock::now() - begin >= 30ms);
}

TEST_CASE("a shorter step after a long one ends in its own time", "[base][deadline]") {
  boost::asio::io_context loop;
  deadline bound(loop.get_executor());
  bound.give_up_by([] {});
  bound.within(10min);
  bound.within(1ms);
  loop.run_for(5s);
  CHECK(bound.expired());
}

TEST_CASE("nothing is given up after the deadline's end", "[base][deadline]") {
  boost::asio::io_context loop;
  bool given_up = false;
  {
    deadline bound(loop.get_executor());
    bound.give_up_by([&] { given_up = true; });
    bound.within(1ms);
  }
  loop.run();
  CHECK_FALSE(given_up);
}
