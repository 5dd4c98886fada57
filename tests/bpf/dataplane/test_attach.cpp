// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include "agent/dataplane/attach.hpp"
#include "agent/dataplane/pins.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"

namespace fs = std::filesystem;
using namespace nearside;
using namespace nearside::tests;
using dataplane::attach_mode;
using dataplane::attach_outcome;
using dataplane::object;

#define REQUIRE_NETWORK()                                                 \
  if (!enter_network_with_veth()) {                                       \
    WARN("SKIPPED: a network namespace with a veth pair cannot be made"); \
    return;                                                               \
  }

namespace {

bool run(const std::string& command) { return std::system(command.c_str()) == 0; }

// Takes the program off with the test, whatever became of it.
struct detached_at_end {
  const fs::path& root;
  std::string interface = "nsd0";
  ~detached_at_end() { (void)dataplane::detach(root, interface); }
};

}  // namespace

TEST_CASE("attaching pins a link, attaching again changes nothing, detaching takes it away", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const detached_at_end cleanup{root.path()};
  const auto first = dataplane::attach(tables, "nsd0").value();
  CHECK(first.what == attach_outcome::change::attached);
  CHECK(first.now.mode == attach_mode::native);
  CHECK(first.now.current);
  CHECK(first.now.interface_index == ::if_nametoindex("nsd0"));
  CHECK(fs::exists(root.path() / "links" / "nsd0"));
  CHECK(dataplane::attach(tables, "nsd0").value().what == attach_outcome::change::unchanged);

  const auto all = dataplane::attachments(root.path()).value();
  REQUIRE(all.size() == 1);
  CHECK(all[0].interface == "nsd0");
  CHECK(all[0].program_id == first.now.program_id);
  CHECK(all[0].program_tag.size() == 16);

  dataplane::detach(root.path(), "nsd0").value();
  CHECK(dataplane::attachments(root.path()).value().empty());
  CHECK(dataplane::detach(root.path(), "nsd0").error().kind == errc::not_found);
  CHECK(object::open(root.path()).has_value());
}

TEST_CASE("generic mode is used when asked for, and asking for the other mode changes it", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const detached_at_end cleanup{root.path()};
  CHECK(
      dataplane::attach(tables, "nsd0", {.mode = attach_mode::generic, .allow_vlan_offload = false}).value().now.mode ==
      attach_mode::generic);
  CHECK(dataplane::attach(tables, "nsd0", {.mode = attach_mode::automatic, .allow_vlan_offload = false}).value().what ==
        attach_outcome::change::unchanged);
  const auto native =
      dataplane::attach(tables, "nsd0", {.mode = attach_mode::native, .allow_vlan_offload = false}).value();
  CHECK(native.what == attach_outcome::change::updated);
  CHECK(native.now.mode == attach_mode::native);
}

TEST_CASE("a driver without native XDP is told, and automatic mode falls back to generic", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const detached_at_end cleanup{root.path(), "lo"};
  const auto refused = dataplane::attach(tables, "lo", {.mode = attach_mode::native, .allow_vlan_offload = false});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == errc::unsupported);
  CHECK_THAT(refused.error().message, Catch::Contains("lo") && Catch::Contains("--mode generic"));
  CHECK(dataplane::attach(tables, "lo").value().now.mode == attach_mode::generic);
}

TEST_CASE("a missing interface is named", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const auto refused = dataplane::attach(tables, "nsd9");
  CHECK(refused.error().kind == errc::not_found);
  CHECK(refused.error().message == "nsd9: no such network interface");
}

TEST_CASE("another program is not pushed aside: its id, name and mode are told", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const pin_root others;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const auto other = object::open_or_create(others.path(), small_sizes()).value();
  const detached_at_end cleanup{others.path()};
  const auto there = dataplane::attach(other, "nsd0").value();
  const auto refused = dataplane::attach(tables, "nsd0");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == errc::busy);
  CHECK_THAT(refused.error().message, Catch::Contains("id " + std::to_string(there.now.program_id)) &&
                                          Catch::Contains("nearside_dns") && Catch::Contains("native"));
  CHECK_FALSE(dataplane::pins::any_link(root.path()));
}

TEST_CASE("another version of the program replaces the running one in place", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const detached_at_end cleanup{root.path()};
  // The clock's program stands for that of an older version.
  const auto older = dataplane::pins::get(dataplane::pins::clock_program(root.path())).value();
  dataplane::pins::put(older.get(), dataplane::pins::program(root.path())).value();
  auto old_tables = object::open(root.path()).value();
  const auto before = dataplane::attach(old_tables, "nsd0").value();

  CHECK(old_tables.refresh_program().value());
  CHECK_FALSE(dataplane::attachments(root.path()).value().at(0).current);
  const auto after = dataplane::attach(old_tables, "nsd0").value();
  CHECK(after.what == attach_outcome::change::updated);
  CHECK(after.now.program_id != before.now.program_id);
  CHECK(after.now.current);
}

TEST_CASE("an interface that takes VLAN tags off is refused unless allowed", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const detached_at_end cleanup{root.path(), "nsd1"};
  const auto refused = dataplane::attach(tables, "nsd1");
  REQUIRE_FALSE(refused.has_value());
  CHECK_THAT(refused.error().message, Catch::Contains("ethtool -K nsd1 rxvlan off"));
  CHECK(dataplane::attach(tables, "nsd1", {.mode = attach_mode::automatic, .allow_vlan_offload = true}).has_value());
}

TEST_CASE("the link of an interface that is gone does not hinder one of the same name", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const detached_at_end cleanup{root.path(), "nsd2.7"};
  const std::string make = "ip link add nsd2.7 type veth peer name nsd3 && ethtool -K nsd2.7 rxvlan off >/dev/null";
  REQUIRE(run(make));
  // The BPF file system allows no dot in a name.
  CHECK(dataplane::attach(tables, "nsd2.7").value().what == attach_outcome::change::attached);
  REQUIRE(run("ip link del nsd2.7"));
  const auto gone = dataplane::attachments(root.path()).value();
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].interface == "nsd2.7");
  CHECK(gone[0].interface_index == 0);
  REQUIRE(run(make));
  CHECK(dataplane::attach(tables, "nsd2.7").value().what == attach_outcome::change::attached);
  dataplane::detach(root.path(), "nsd2.7").value();
  REQUIRE(run("ip link del nsd2.7"));
}

TEST_CASE("detaching the last interface leaves the maps for the agent, unless they are to be purged", "[attach]") {
  REQUIRE_KERNEL_SIDE();
  REQUIRE_NETWORK();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  dataplane::attach(tables, "nsd0").value();
  CHECK(dataplane::purge(root.path()).error().kind == errc::busy);
  dataplane::detach(root.path(), "nsd0").value();
  CHECK(fs::exists(root.path() / "maps"));
  dataplane::attach(tables, "nsd0").value();
  dataplane::detach(root.path(), "nsd0", true).value();
  CHECK_FALSE(fs::exists(root.path()));
}
