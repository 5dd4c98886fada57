// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <thread>

#include "agent/dataplane/counters.hpp"
#include "agent/dataplane/listen.hpp"
#include "agent/dataplane/pins.hpp"
#include "tests/bpf/dataplane/pin_root.hpp"

namespace fs = std::filesystem;
using namespace nearside;
using namespace nearside::tests;
using dataplane::map_id;
using dataplane::object;

TEST_CASE("whoever comes first makes the maps with its sizes, the next one takes them over", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto first = object::open_or_create(root.path(), small_sizes()).value();
  CHECK(first.config().layout_version == LAYOUT_VERSION);
  CHECK((first.config().hash_key[0] | first.config().hash_key[1]) != 0);
  CHECK(first.sets() == 16);
  CHECK(first.capacity(map_id::names_short) == 64);

  const auto second = object::open_or_create(root.path(), {}).value();
  CHECK(second.capacity(map_id::names_short) == 64);
  CHECK(second.config().hash_key[0] == first.config().hash_key[0]);
  first.config().generation = 7;
  CHECK(second.config().generation == 7);
}

TEST_CASE("opening where nothing is pinned says to attach first", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto nothing = object::open(root.path());
  REQUIRE_FALSE(nothing.has_value());
  CHECK(nothing.error().kind == errc::not_found);
  CHECK_THAT(nothing.error().message, Catch::Contains("nearside attach"));
}

TEST_CASE("maps of another layout version are refused with what to do", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  object::open_or_create(root.path(), small_sizes()).value().config().layout_version = LAYOUT_VERSION + 1;
  for (const auto& opened : {object::open(root.path()), object::open_or_create(root.path())}) {
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().kind == errc::invalid);
    CHECK_THAT(opened.error().message, Catch::Contains("nearside detach") && Catch::Contains("layout version"));
  }
}

TEST_CASE("what a crash left half made is made whole", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  object::open_or_create(root.path(), small_sizes()).value();

  SECTION("a map is missing") { fs::remove(root.path() / "maps" / "answers"); }
  SECTION("the program is missing") { fs::remove(root.path() / "prog"); }
  SECTION("maps were being pinned aside") { fs::create_directory(root.path() / "maps_new"); }
  SECTION("nothing but the directory is there") {
    fs::remove_all(root.path());
    fs::create_directory(root.path());
  }
  const auto repaired = object::open_or_create(root.path(), small_sizes());
  REQUIRE(repaired.has_value());
  CHECK(repaired->program() >= 0);
  CHECK(object::open(root.path()).has_value());
}

TEST_CASE("a lost program does not cost the maps their content", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  object::open_or_create(root.path(), small_sizes()).value().config().generation = 42;
  fs::remove(root.path() / "prog");
  CHECK(object::open_or_create(root.path(), small_sizes()).value().config().generation == 42);
}

TEST_CASE("several processes that come first at the same time make one set of maps", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = object::open_or_create(root.path(), small_sizes());
      if (opened) __atomic_fetch_add(&opened->config().generation, 1, __ATOMIC_SEQ_CST);
      ::_exit(opened ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(object::open(root.path()).value().config().generation == 4);
}

TEST_CASE("the same program is not loaded anew, another one takes the pin's place", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  auto tables = object::open_or_create(root.path(), small_sizes()).value();
  CHECK_FALSE(tables.refresh_program().value());

  // The clock's program stands for that of another version.
  const auto other = dataplane::pins::get(dataplane::pins::clock_program(root.path())).value();
  dataplane::pins::put(other.get(), dataplane::pins::program(root.path())).value();
  auto older = object::open(root.path()).value();
  CHECK(older.refresh_program().value());
  CHECK_FALSE(object::open(root.path()).value().refresh_program().value());
}

TEST_CASE("a directory that is on no BPF file system is refused with the mount command", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const auto refused = object::open_or_create("/tmp/nearside_no_bpf_here");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == errc::unsupported);
  CHECK_THAT(refused.error().message, Catch::Contains("mount -t bpf bpf /sys/fs/bpf"));
  CHECK_FALSE(fs::exists("/tmp/nearside_no_bpf_here"));
}

TEST_CASE("kernels from 5.10 on are recent enough", "[dataplane][environment]") {
  CHECK(dataplane::kernel_is_recent_enough("5.10.0-28-amd64"));
  CHECK(dataplane::kernel_is_recent_enough("6.1.0"));
  CHECK(dataplane::kernel_is_recent_enough("10.0"));
  CHECK_FALSE(dataplane::kernel_is_recent_enough("5.9.16"));
  CHECK_FALSE(dataplane::kernel_is_recent_enough("4.19.0"));
  CHECK_FALSE(dataplane::kernel_is_recent_enough("nonsense"));
}

TEST_CASE("sizes of zero are refused before anything is made", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  auto sizes = small_sizes();
  sizes.sets = 0;
  CHECK(object::open_or_create(root.path(), sizes).error().kind == errc::invalid);
  CHECK_FALSE(fs::exists(root.path()));
}

TEST_CASE("a purge takes all pins away", "[dataplane][object]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  object::open_or_create(root.path(), small_sizes()).value();
  dataplane::purge(root.path()).value();
  CHECK_FALSE(fs::exists(root.path()));
  CHECK(dataplane::purge(root.path()).has_value());
}

TEST_CASE("listen addresses are written aside and switched to", "[dataplane][listen]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const auto address = [](const char* text) { return boost::asio::ip::make_address(text); };
  const std::vector first{address("192.0.2.53"), address("2001:db8::53")};
  const auto index = tables.config().listen_index;
  CHECK(dataplane::set_listen(tables, 53, first).value());
  CHECK(tables.config().listen_index != index);
  CHECK(dataplane::get_listen(tables).addresses == first);
  CHECK(dataplane::get_listen(tables).port == 53);
  CHECK_FALSE(dataplane::set_listen(tables, 53, first).value());

  CHECK(dataplane::set_listen(tables, 5353, std::vector{address("192.0.2.54")}).value());
  CHECK(tables.config().listen_index == index);
  CHECK(dataplane::get_listen(tables).port == 5353);
  // What a program that runs right now still reads.
  CHECK(tables.listen()[tables.config().listen_index ^ 1].count6 == 1);

  for (const char* bad : {"0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"}) {
    CHECK(dataplane::set_listen(tables, 53, std::vector{address(bad)}).error().kind == errc::invalid);
  }
  CHECK(dataplane::set_listen(tables, 53, std::vector(MAX_LISTEN + 1, address("192.0.2.1"))).error().kind ==
        errc::exhausted);
  CHECK(dataplane::get_listen(tables).port == 5353);
}

TEST_CASE("counters are summed over the CPUs", "[dataplane][counters]") {
  REQUIRE_KERNEL_SIDE();
  const pin_root root;
  const auto tables = object::open_or_create(root.path(), small_sizes()).value();
  const auto set = [&](std::uint32_t number, std::uint64_t on_first, std::uint64_t on_others) {
    std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()), on_others);
    per_cpu[0] = on_first;
    REQUIRE(bpf_map_update_elem(tables.fd(map_id::counters), &number, per_cpu.data(), BPF_ANY) == 0);
    return on_first + (per_cpu.size() - 1) * on_others;
  };
  const auto answered = set(VERDICT_ANSWERED, 5, 3);
  const auto passed = set(VERDICT_PASS_NAME, 2, 0);
  set(COUNTER_EDNS, 100, 0);
  const auto values = dataplane::read_counters(tables).value();
  CHECK(values.answered() == answered);
  CHECK(values.passed() == passed);
  CHECK(values.received() == answered + passed);
  CHECK(values.since(values).received() == 0);
}

TEST_CASE("every verdict has a label of its own, on its side of the equation", "[dataplane][counters]") {
  std::vector<std::string_view> labels;
  for (const auto& d : dataplane::counter_descriptions()) {
    labels.push_back(d.label);
    CHECK_FALSE(d.sentence.empty());
    const auto expected = d.number >= VERDICT_COUNT           ? dataplane::counter_group::side
                          : d.number >= VERDICT_DROP_RESPONSE ? dataplane::counter_group::dropped
                          : d.number >= VERDICT_PASS_NOT_IP   ? dataplane::counter_group::passed
                          : d.number >= VERDICT_REFERRED      ? dataplane::counter_group::referred
                                                              : dataplane::counter_group::answered;
    CHECK(d.group == expected);
  }
  std::sort(labels.begin(), labels.end());
  CHECK(std::adjacent_find(labels.begin(), labels.end()) == labels.end());
  for (std::uint32_t v = VERDICT_PASS_NOT_IP; v <= VERDICT_PASS_DIRECT; ++v)
    CHECK(dataplane::describe_counter(v) != nullptr);
  CHECK(dataplane::verdict_label(VERDICT_PASS_NSID) == "pass_nsid");
  CHECK(dataplane::verdict_label(VERDICT_UNDECIDED) == "unknown");
}
