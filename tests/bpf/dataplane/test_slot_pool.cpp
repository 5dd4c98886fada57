// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <catch2/catch.hpp>

#include "agent/dataplane/slot_pool.hpp"

using namespace nearside::dataplane;
using namespace std::chrono_literals;

namespace {

struct fixture {
  std::array<image_small, 8> memory{};
  slot_pool pool{std::span<image_small>(memory), 0, 1000ms};
  slot_pool::time_point now{};
};

std::vector<image> images(std::initializer_list<std::uint8_t> contents) {
  std::vector<image> made;
  for (const auto octet : contents) {
    image i;
    i.octets.assign(10, octet);
    i.checksum = checksum_of(i.octets);
    made.push_back(i);
  }
  return made;
}

}  // namespace

TEST_CASE_METHOD(fixture, "alternatives lie in consecutive slots of one generation", "[slots]") {
  const auto ref = pool.acquire(images({1, 2, 3})).value();
  CHECK(ref.alternatives == 3);
  CHECK(ref.generation != 0);
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK((memory[ref.slot + i].generation & 0xffff) == ref.generation);
    CHECK(memory[ref.slot + i].octets[0] == i + 1);
    CHECK(memory[ref.slot + i].length == 10);
  }
}

TEST_CASE_METHOD(fixture, "equal answers share their slots until the last user lets go", "[slots]") {
  const auto first = pool.acquire(images({1, 2})).value();
  const auto second = pool.acquire(images({1, 2})).value();
  CHECK(second.slot == first.slot);
  CHECK(pool.used() == 2);
  CHECK(pool.written() == 2);
  pool.release(first, now);
  CHECK(pool.used() == 2);
  CHECK(pool.holds(second, images({1, 2})));
  pool.release(second, now);
  CHECK(pool.used() == 0);
}

TEST_CASE_METHOD(fixture, "a slot that was let go is not written again before its quarantine is over", "[slots]") {
  const auto all = pool.acquire(images({1, 2, 3, 4, 5, 6, 7, 8})).value();
  const auto before = memory;
  pool.release(all, now);
  pool.settle(now + 999ms);
  CHECK_FALSE(pool.acquire(images({9})).has_value());
  CHECK(memory[3].octets[0] == before[3].octets[0]);
  CHECK(pool.next_settling() == now + 1000ms);
  pool.settle(now + 1000ms);
  const auto next = pool.acquire(images({9})).value();
  CHECK(next.generation != all.generation);
  CHECK_FALSE(pool.next_settling().has_value());
}

TEST_CASE_METHOD(fixture, "gaps grow together again", "[slots]") {
  std::vector<answer_ref> refs;
  for (std::uint8_t i = 1; i <= 8; ++i) refs.push_back(pool.acquire(images({i})).value());
  for (const int i : {1, 5, 3, 2, 0, 4, 7, 6}) pool.release(refs[static_cast<std::size_t>(i)], now);
  pool.settle(now + 1s);
  CHECK(pool.acquire(images({1, 2, 3, 4, 5, 6, 7, 8})).has_value());
}

TEST_CASE_METHOD(fixture, "the rest of a slot is empty after a shorter answer", "[slots]") {
  auto longer = images({7});
  longer[0].octets.assign(SMALL_IMAGE_OCTETS, 7);
  const auto old = pool.acquire(longer).value();
  pool.release(old, now);
  pool.settle(now + 1s);
  const auto ref = pool.acquire(images({1})).value();
  REQUIRE(ref.slot == old.slot);
  CHECK(memory[ref.slot].octets[10] == 0);
  CHECK(memory[ref.slot].octets[SMALL_IMAGE_OCTETS - 1] == 0);
}

TEST_CASE_METHOD(fixture, "a generation's low 16 bits are never zero", "[slots]") {
  for (std::uint32_t i = 0; i < 70'000; ++i) {
    auto one = images({1});
    one[0].octets[0] = static_cast<std::uint8_t>(i);
    const auto ref = pool.acquire(one).value();
    REQUIRE(ref.generation != 0);
    pool.release(ref, now);
    now += 1s;
    pool.settle(now);
  }
}

TEST_CASE_METHOD(fixture, "an agent started again goes on with the runs that references name", "[slots]") {
  const auto first = pool.acquire(images({1, 2})).value();
  const auto second = pool.acquire(images({3})).value();
  slot_pool next(std::span<image_small>(memory), 0, 1000ms);
  CHECK(next.adopt(first));
  CHECK(next.adopt(first));
  CHECK(next.adopt(second));
  CHECK(next.used() == 3);
  CHECK(next.acquire(images({3})).value().slot == second.slot);
  CHECK(next.written() == 0);
  const auto fresh = next.acquire(images({4})).value();
  CHECK(fresh.generation != first.generation);
  CHECK(fresh.slot > second.slot);
}

TEST_CASE_METHOD(fixture, "references that make no sense are not adopted", "[slots]") {
  const auto good = pool.acquire(images({1, 2})).value();
  slot_pool next(std::span<image_small>(memory), 0, 1000ms);
  const auto changed = [&](auto change) {
    answer_ref ref = good;
    change(ref);
    return ref;
  };
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) { r.slot = 8; })));
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) { r.slot = 7; })));
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) { ++r.generation; })));
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) { r.alternatives = 0; })));
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) { r.flags = ANSWER_LARGE; })));
  CHECK(next.adopt(good));
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) { r.alternatives = 1; })));
  CHECK_FALSE(next.adopt(changed([](answer_ref& r) {
    r.slot += 1;
    r.alternatives = 1;
  })));
}
