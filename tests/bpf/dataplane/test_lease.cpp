// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <thread>

#include "agent/dataplane/lease.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"

using namespace nearside;
using namespace nearside::tests;
using namespace std::chrono_literals;
using dataplane::jiffies_calibrator;

namespace {

jiffies_calibrator calibrated(std::uint64_t jiffies, std::chrono::nanoseconds span) {
  jiffies_calibrator c;
  c.add({1000, 5'000'000'000});
  c.add({1000 + jiffies, 5'000'000'000 + static_cast<std::uint64_t>(span.count())});
  return c;
}

}  // namespace

TEST_CASE("no rate is known before the readings span enough time", "[lease]") {
  jiffies_calibrator c;
  CHECK_FALSE(c.ready());
  c.add({10, 1'000'000'000});
  CHECK_FALSE(c.ready());
  c.add({60, 1'249'000'000});
  CHECK_FALSE(c.ready());
  CHECK(c.jiffies(10s) == 0);
  c.add({73, 1'252'000'000});
  CHECK(c.ready());
}

TEST_CASE("a count that is a jiffy off at either end still gives the kernel's rate", "[lease]") {
  CHECK(calibrated(25, 254ms).rate() == 100);
  CHECK(calibrated(26, 252ms).rate() == 100);
  CHECK(calibrated(63, 255ms).rate() == 250);
  CHECK(calibrated(64, 254ms).rate() == 250);
  CHECK(calibrated(75, 252ms).rate() == 300);
  CHECK(calibrated(261, 260ms).rate() == 1000);
}

TEST_CASE("an unusual rate is taken from below, so that a lease is never too long", "[lease]") {
  const auto c = calibrated(150, 250ms);  // 600 a second
  CHECK(c.rate() <= 600);
  CHECK(c.rate() >= 590);
  CHECK(c.jiffies(10s) <= 6000);
}

TEST_CASE("a duration becomes jiffies rounded down, at least one", "[lease]") {
  const auto c = calibrated(25, 250ms);
  CHECK(c.jiffies(10s) == 1000);
  CHECK(c.jiffies(19ms) == 1);
  CHECK(c.jiffies(1ms) == 1);
  CHECK(c.jiffies(0s) == 0);
  CHECK(c.duration(1000) == 10s);
}

TEST_CASE("a clock that stands still or runs backwards is not taken for one", "[lease]") {
  jiffies_calibrator c;
  c.add({100, 1'000'000'000});
  c.add({100, 2'000'000'000});
  CHECK_FALSE(c.ready());
  c.add({90, 2'100'000'000});
  c.add({92, 2'200'000'000});
  CHECK_FALSE(c.ready());
  c.add({115, 2'350'000'000});
  CHECK(c.rate() == 100);
}

TEST_CASE("a renewed lease lasts as long as asked and then has run out", "[lease][bpf]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = dataplane::object::open_or_create(root.path(), small_sizes()).value();
  const auto lease = dataplane::lease::calibrate(tables).value();
  CHECK(lease.remaining(tables).value() == 0s);
  lease.renew(tables, 10s).value();
  CHECK(lease.remaining(tables).value() > 9800ms);
  CHECK(lease.remaining(tables).value() <= 10s);
  lease.renew(tables, 200ms).value();
  std::this_thread::sleep_for(300ms);
  CHECK(lease.remaining(tables).value() == 0s);
  lease.renew(tables, 10s).value();
  lease.end(tables);
  CHECK(lease.remaining(tables).value() == 0s);
}

TEST_CASE("the kernel's clock is read afresh each time", "[lease][bpf]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = dataplane::object::open_or_create(root.path(), small_sizes()).value();
  const auto before = tables.read_clock().value();
  std::this_thread::sleep_for(50ms);
  const auto after = tables.read_clock().value();
  CHECK(after.nanoseconds - before.nanoseconds >= 50'000'000);
  CHECK(after.jiffies > before.jiffies);
}
