// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <set>

#include "agent/dataplane/name_row.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dataplane/tables.hpp"
#include "tests/bpf/dataplane/published.hpp"

using namespace nearside;
using namespace nearside::dataplane;
using namespace nearside::tests;
using namespace std::chrono_literals;

namespace {

struct fixture : published {
  using published::published;

  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> all;
    for_each_name(tables, [&](installed_name&& n) { all.insert(n.owner.text()); }).value();
    return all;
  }
  /// The first image of a column; fails the test where there is none.
  [[nodiscard]] image_view image(const std::string& owner, type_class column) const {
    const auto row = answers_of(tables, find(owner).value().set);
    return image_of(tables, row[column], 0).value();
  }
  /// Last octet of the first address of an A answer; -1: no image.
  [[nodiscard]] int address(const std::string& owner) const {
    const auto name = find(owner);
    if (!name) return -1;
    const auto seen = image_of(tables, answers_of(tables, name->set)[TYPE_CLASS_A], 0);
    return seen ? seen->octets[15] : -1;
  }
};

zone_builder two_names(const std::string& server = "192.0.2.1") {
  return zone_builder().servers("a.lb.example.", {server}).servers("b.lb.example.", {server});
}

}  // namespace

TEST_CASE("names with the same servers share a set, others have their own", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  const auto stats = publisher
                         .publish(two_names()
                                      .servers("c.lb.example.", {"192.0.2.2"})
                                      .servers("d.lb.example.", {"192.0.2.1"})
                                      .text("d.lb.example.", "hello")
                                      .alone(),
                                  {}, {})
                         .value();
  CHECK(stats.names_added == 5);
  CHECK(stats.names == 5);
  CHECK(stats.sets == 4);
  CHECK(f.find("a.lb.example.")->set == f.find("B.LB.example.")->set);
  CHECK(f.find("a.lb.example.")->set != f.find("c.lb.example.")->set);
  CHECK(f.find("a.lb.example.")->set != f.find("d.lb.example.")->set);
  CHECK(f.find("a.lb.example.")->zone_octets == name_of("lb.example.").wire().size());
  CHECK(f.address("a.lb.example.") == 1);
  CHECK(f.address("c.lb.example.") == 2);
  CHECK(f.image("d.lb.example.", TYPE_CLASS_TXT).ancount == 1);
  CHECK(f.image("lb.example.", TYPE_CLASS_SOA).ancount == 1);
  CHECK(f.image("lb.example.", TYPE_CLASS_NS).ancount == 1);
  // The NODATA of a zone is stored once for all.
  const auto nodata = answers_of(f.tables, f.find("a.lb.example.")->set)[TYPE_CLASS_MX];
  CHECK(answers_of(f.tables, f.find("c.lb.example.")->set)[TYPE_CLASS_AAAA].slot == nodata.slot);
}

TEST_CASE("what userland alone answers is not installed", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto zones = zone_builder()
                   .servers("a.lb.example.", {"192.0.2.1"})
                   .servers("*.wild.lb.example.", {"192.0.2.1"})
                   .target("alias.lb.example.", 5, "a.lb.example.")
                   .target("cut.lb.example.", 2, "ns.cut.lb.example.")
                   .servers("ns.cut.lb.example.", {"192.0.2.9"})
                   .servers("deep.empty.lb.example.", {"192.0.2.1"})
                   .servers("x.child.lb.example.", {"192.0.2.1"})
                   .alone();
  zones.add(zone_builder("child.lb.example.").take()).value();
  f.adopt().publish(zones, {}, {}).value();
  CHECK(f.names() ==
        std::set<std::string>{"lb.example.", "a.lb.example.", "deep.empty.lb.example.", "child.lb.example."});
}

TEST_CASE("publishing the same zones again writes nothing", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  CHECK_FALSE(publisher.publish(two_names().alone(), {}, {}).value().unchanged());
  const auto generation = f.tables.config().generation;
  CHECK(publisher.publish(two_names().alone(), {}, {}).value().unchanged());
  CHECK(f.tables.config().generation == generation);
}

TEST_CASE("an agent started again takes over without writing, and goes on by differences", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  const std::string long_name(60, 'x');
  const auto zones = [&](const std::string& server) {
    return two_names(server)
        .servers(long_name + ".lb.example.", {"192.0.2.7", "192.0.2.8"})
        .text("a.lb.example.", "t")
        .alone();
  };
  const auto first = f.adopt().publish(zones("192.0.2.1"), {}, {}).value();
  auto next = f.adopt();
  const auto taken = next.publish(zones("192.0.2.1"), {}, {}).value();
  CHECK(taken.unchanged());
  CHECK(taken.names == first.names);
  CHECK(taken.sets == first.sets);
  CHECK(taken.small_images == first.small_images);

  const auto changed = next.publish(zones("192.0.2.2"), {}, {}).value();
  CHECK(changed.answers_changed == 2);
  CHECK(changed.names_added + changed.names_removed + changed.names_rebound == 0);
  CHECK(f.address("b.lb.example.") == 2);
}

TEST_CASE("a server that changes is one write for all names of the set", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  publisher.publish(two_names().alone(), {}, {}).value();
  const auto before = *f.find("a.lb.example.");
  const auto old = answers_of(f.tables, before.set)[TYPE_CLASS_A];
  const auto stats = publisher.publish(two_names("192.0.2.9").alone(), {}, {}).value();
  CHECK(stats.answers_changed == 1);
  CHECK(stats.images_written == 1);
  CHECK(stats.names_rebound == 0);
  CHECK(f.find("a.lb.example.")->set == before.set);
  CHECK(f.address("a.lb.example.") == 9);
  const auto ref = answers_of(f.tables, before.set)[TYPE_CLASS_A];
  CHECK(ref.slot != old.slot);
  CHECK(ref.generation != old.generation);
  CHECK((image_of(f.tables, ref, 0)->generation & 0xffff) == ref.generation);
  // A reader that holds the old reference still finds the old answer, whole.
  CHECK(image_of(f.tables, old, 0)->octets[15] == 1);
  CHECK((image_of(f.tables, old, 0)->generation & 0xffff) == old.generation);
}

TEST_CASE("a name that parts from its set gets another one, the rest stay", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  publisher.publish(two_names().alone(), {}, {}).value();
  const auto shared = f.find("a.lb.example.")->set;
  const auto parted =
      zone_builder().servers("a.lb.example.", {"192.0.2.1"}).servers("b.lb.example.", {"192.0.2.5"}).alone();
  const auto stats = publisher.publish(parted, {}, {}).value();
  CHECK(stats.names_rebound == 1);
  CHECK(f.find("a.lb.example.")->set == shared);
  CHECK(f.find("b.lb.example.")->set != shared);
  CHECK(f.address("a.lb.example.") == 1);
  CHECK(f.address("b.lb.example.") == 5);

  const auto again = publisher.publish(two_names().alone(), {}, {}).value();
  CHECK(again.sets == 2);
  CHECK(f.find("b.lb.example.")->set == shared);
  CHECK(f.address("b.lb.example.") == 1);
}

TEST_CASE("two sets that change places do not mix up their names", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  const auto zones = [](const std::string& ab, const std::string& cd) {
    return zone_builder()
        .servers("a.lb.example.", {ab})
        .servers("b.lb.example.", {ab})
        .servers("c.lb.example.", {cd})
        .servers("d.lb.example.", {cd})
        .alone();
  };
  publisher.publish(zones("192.0.2.1", "192.0.2.2"), {}, {}).value();
  publisher.publish(zones("192.0.2.2", "192.0.2.1"), {}, {}).value();
  CHECK(f.address("a.lb.example.") == 2);
  CHECK(f.address("b.lb.example.") == 2);
  CHECK(f.address("c.lb.example.") == 1);
  CHECK(f.address("d.lb.example.") == 1);
  // One from each set joins another group whose set changes as well.
  publisher
      .publish(zone_builder()
                   .servers("a.lb.example.", {"192.0.2.7"})
                   .servers("d.lb.example.", {"192.0.2.7"})
                   .servers("b.lb.example.", {"192.0.2.8"})
                   .servers("c.lb.example.", {"192.0.2.8"})
                   .alone(),
               {}, {})
      .value();
  CHECK(f.address("a.lb.example.") == 7);
  CHECK(f.address("d.lb.example.") == 7);
  CHECK(f.address("b.lb.example.") == 8);
  CHECK(f.address("c.lb.example.") == 8);
}

TEST_CASE("removed names go, their set is cleared and its slots come back after the quarantine", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  auto sizes = small_sizes();
  sizes.small_images = 4;  // SOA, NODATA and two A answers; NS and the rest of the apex go to large slots
  fixture f(sizes);
  auto publisher = f.adopt();
  publisher
      .publish(zone_builder().servers("a.lb.example.", {"192.0.2.1"}).servers("b.lb.example.", {"192.0.2.2"}).alone(),
               {}, {})
      .value();
  const auto set = f.find("b.lb.example.")->set;
  const auto slot = answers_of(f.tables, set)[TYPE_CLASS_A];
  const auto stats = publisher.publish(zone_builder().servers("a.lb.example.", {"192.0.2.1"}).alone(), {}, {}).value();
  CHECK(stats.names_removed == 1);
  CHECK_FALSE(f.find("b.lb.example.").has_value());
  CHECK(answers_of(f.tables, set)[TYPE_CLASS_A].alternatives == 0);
  CHECK((image_of(f.tables, slot, 0)->generation & 0xffff) == slot.generation);

  const auto wanted = [] {
    return zone_builder().servers("a.lb.example.", {"192.0.2.1"}).servers("c.lb.example.", {"192.0.2.3"}).alone();
  };
  f.now += 999ms;
  publisher.publish(wanted(), {}, {}).value();
  CHECK((image_of(f.tables, slot, 0)->generation & 0xffff) == slot.generation);
  f.now += 2s;
  publisher.publish(zone_builder().servers("a.lb.example.", {"192.0.2.4"}).alone(), {}, {}).value();
  CHECK((image_of(f.tables, slot, 0)->generation & 0xffff) != slot.generation);
}

TEST_CASE("names that find no room in the map are left to userland and told", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  auto sizes = small_sizes();
  sizes.names = 3;
  fixture f(sizes);
  auto publisher = f.adopt();
  zone_builder builder;
  for (int i = 0; i < 9; ++i) builder.servers("n" + std::to_string(i) + ".lb.example.", {"192.0.2.1"});
  const auto zones = builder.alone();
  const auto stats = publisher.publish(zones, {}, {}).value();
  CHECK(stats.names == 3);
  CHECK(stats.left_to_userland == 7);
  REQUIRE(stats.notes.size() == 1);
  CHECK_THAT(stats.notes[0], Catch::Contains("7 names") && Catch::Contains("full"));
  CHECK(f.names().size() == 3);
  const auto again = publisher.publish(zones, {}, {}).value();
  CHECK(again.unchanged());
  CHECK(again.left_to_userland == 7);
}

TEST_CASE("names for which there is no answer set are left to userland and told", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  auto sizes = small_sizes();
  sizes.sets = 2;
  fixture f(sizes);
  auto publisher = f.adopt();
  zone_builder builder;
  for (int i = 1; i < 6; ++i)
    builder.servers("n" + std::to_string(i) + ".lb.example.", {"192.0.2." + std::to_string(i)});
  const auto stats = publisher.publish(builder.alone(), {}, {}).value();
  CHECK(stats.names == 2);
  CHECK(stats.left_to_userland == 4);
  REQUIRE(stats.notes.size() == 1);
  CHECK_THAT(stats.notes[0], Catch::Contains("answer sets"));
}

TEST_CASE("an answer without a free slot is passed until the quarantine of others is over", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  auto sizes = small_sizes();
  sizes.small_images = 3;
  sizes.large_images = 1;
  fixture f(sizes);
  auto publisher = f.adopt();
  const auto zones = [](const std::string& server) {
    return zone_builder().servers("a.lb.example.", {server}).alone();
  };
  const auto first = publisher.publish(zones("192.0.2.1"), {}, {}).value();
  REQUIRE(first.small_images + first.large_images == 4);
  CHECK(first.answers_left == 0);
  const auto second = publisher.publish(zones("192.0.2.2"), {}, {}).value();
  CHECK(second.answers_left == 1);
  CHECK(f.address("a.lb.example.") == -1);
  REQUIRE(second.again_at.has_value());
  CHECK(*second.again_at == f.now + publisher::quarantine);
  f.now = *second.again_at;
  const auto third = publisher.publish(zones("192.0.2.2"), {}, {}).value();
  CHECK(third.answers_left == 0);
  CHECK_FALSE(third.again_at.has_value());
  CHECK(f.address("a.lb.example.") == 2);
}

TEST_CASE("a new SOA changes the NODATA of all names, and nothing else of them", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  const auto zones = [](std::uint32_t serial) {
    return zone_builder("lb.example.", serial).servers("a.lb.example.", {"192.0.2.1"}).alone();
  };
  publisher.publish(zones(1), {}, {}).value();
  const auto a = answers_of(f.tables, f.find("a.lb.example.")->set)[TYPE_CLASS_A];
  const auto stats = publisher.publish(zones(2), {}, {}).value();
  CHECK(stats.images_written == 2);  // the SOA itself, and the one NODATA
  CHECK(answers_of(f.tables, f.find("a.lb.example.")->set)[TYPE_CLASS_A].slot == a.slot);
}

TEST_CASE("a name that moves to a zone of its own is bound to that zone", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  publisher.publish(zone_builder().servers("a.sub.lb.example.", {"192.0.2.1"}).alone(), {}, {}).value();
  auto zones = zone_builder().alone();
  zones.add(zone_builder("sub.lb.example.").servers("a.sub.lb.example.", {"192.0.2.1"}).take()).value();
  publisher.publish(zones, {}, {}).value();
  CHECK(f.find("a.sub.lb.example.")->zone_octets == name_of("sub.lb.example.").wire().size());
}

TEST_CASE("the bindings of short and long names carry the key's tag", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  const std::string label(40, 'l');
  auto publisher = f.adopt();
  publisher
      .publish(
          zone_builder().servers("s.lb.example.", {"192.0.2.1"}).servers(label + ".lb.example.", {"192.0.2.1"}).alone(),
          {}, {})
      .value();
  for (const auto& owner : {std::string("s.lb.example."), label + ".lb.example."}) {
    const auto found = f.find(owner);
    REQUIRE(found.has_value());
    const auto expected = bind_name(found->key, found->set, found->zone_octets);
    CHECK((expected.tag_and_zone & BINDING_TAG_MASK) ==
          (static_cast<std::uint32_t>(found->key.hash[1] >> 32) & BINDING_TAG_MASK));
    CHECK(found->set == f.find("s.lb.example.")->set);
  }
}

TEST_CASE("words that point nowhere are cleared by the agent that takes over", "[publish]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  f.adopt().publish(two_names().alone(), {}, {}).value();
  const auto set = f.find("a.lb.example.")->set;
  answer_ref broken = answers_of(f.tables, set)[TYPE_CLASS_A];
  ++broken.generation;
  f.tables.store_answer(f.tables.answer_index(set, TYPE_CLASS_A), broken);
  f.tables.store_answer(f.tables.answer_index(15, TYPE_CLASS_A), broken);  // a set without names
  auto next = f.adopt();
  CHECK(f.address("a.lb.example.") == -1);
  CHECK(answers_of(f.tables, 15)[TYPE_CLASS_A].alternatives == 0);
  CHECK(next.publish(two_names().alone(), {}, {}).value().answers_changed == 1);
  CHECK(f.address("a.lb.example.") == 1);
}

TEST_CASE("a hundred thousand names are published in a few seconds", "[publish][size]") {
  REQUIRE_KERNEL_SIDE();
  fixture f({.names = 110'000, .long_names = 8, .sets = 1024, .small_images = 4096, .large_images = 8});
  zone_builder builder;
  for (int i = 0; i < 100'000; ++i) {
    builder.servers("n" + std::to_string(i) + ".lb.example.", {"192.0.2." + std::to_string(i % 250)});
  }
  const auto zones = builder.alone();
  auto publisher = f.adopt();
  const auto begin = std::chrono::steady_clock::now();
  const auto stats = publisher.publish(zones, {}, {}).value();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK(stats.names == 100'001);
  CHECK(stats.left_to_userland == 0);
  CHECK(took < 20s);
  CHECK(f.adopt().publish(zones, {}, {}).value().unchanged());
}
