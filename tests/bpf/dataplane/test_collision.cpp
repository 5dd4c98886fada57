// SPDX-License-Identifier: BSD-2-Clause
// Two names that have the same 128-bit hash under a known key, found by search: the hash withstands no forger, so the
// publisher has to.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "agent/dataplane/publish.hpp"
#include "agent/dataplane/tables.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"
#include "tests/bpf/dataplane/zones.hpp"

using namespace nearside;
using namespace nearside::dataplane;
using namespace nearside::tests;

namespace {

constexpr std::array<__u64, 2> colliding_key{0x65f9aa5f63602d3cULL, 0x07c6123026dea6edULL};

std::string owner_of(const std::vector<std::uint8_t>& label) {
  std::vector<std::uint8_t> wire{static_cast<std::uint8_t>(label.size())};
  wire.insert(wire.end(), label.begin(), label.end());
  append(wire, name_of("lb.example."));
  return dns::name::from_wire(wire).value().text();
}

const std::string warszaw =
    owner_of({0x77, 0x61, 0x72, 0x73, 0x7a, 0x61, 0x77, 0x39, 0x5b, 0xb4, 0xfe, 0xac, 0xae, 0xad, 0xfe});
const std::string lisboa =
    owner_of({0x6c, 0x69, 0x73, 0x62, 0x6f, 0x61, 0x31, 0xcd, 0xb7, 0xd1, 0x01, 0xd5, 0xd1, 0x92, 0x12});

bool have_one_hash(const object& tables) {
  const auto a = key_of(tables, name_of(warszaw));
  const auto b = key_of(tables, name_of(lisboa));
  return a.hash[0] == b.hash[0] && a.hash[1] == b.hash[1];
}

bool is_installed(const object& tables, const std::string& owner) {
  return find_name(tables, name_of(owner)).value().has_value();
}

dns::zone_set both() { return zone_builder().servers(warszaw, {"192.0.2.1"}).servers(lisboa, {"192.0.2.2"}).alone(); }

}  // namespace

TEST_CASE("of two names with one hash one is left to userland and told", "[publish][collision]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  std::copy(colliding_key.begin(), colliding_key.end(), tables.config().hash_key);
  REQUIRE(have_one_hash(tables));
  auto publisher = publisher::adopt(tables).value();
  publisher.publish(zone_builder().servers(warszaw, {"192.0.2.1"}).alone(), {}, {}).value();
  REQUIRE(is_installed(tables, warszaw));

  const auto stats = publisher.publish(both(), {}, {}).value();
  CHECK(stats.names == 2);  // with the apex
  CHECK(stats.left_to_userland == 1);
  REQUIRE(stats.notes.size() == 1);
  CHECK_THAT(stats.notes[0], Catch::Contains("1 name") && Catch::Contains("hash"));
  CHECK(is_installed(tables, warszaw) != is_installed(tables, lisboa));
  CHECK(have_one_hash(tables));  // the key stays while names are installed

  const auto alone = publisher.publish(zone_builder().servers(lisboa, {"192.0.2.2"}).alone(), {}, {}).value();
  CHECK(alone.left_to_userland == 0);
  CHECK(is_installed(tables, lisboa));
  CHECK_FALSE(is_installed(tables, warszaw));
}

TEST_CASE("while no name is installed, another key is drawn for names with one hash", "[publish][collision]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  std::copy(colliding_key.begin(), colliding_key.end(), tables.config().hash_key);
  REQUIRE(have_one_hash(tables));
  const auto stats = publisher::adopt(tables).value().publish(both(), {}, {}).value();
  CHECK(stats.left_to_userland == 0);
  CHECK_FALSE(have_one_hash(tables));
  CHECK(is_installed(tables, warszaw));
  CHECK(is_installed(tables, lisboa));
}
