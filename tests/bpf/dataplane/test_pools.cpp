// SPDX-License-Identifier: BSD-2-Clause
// Publishing what is chosen for pools: images put together from records, sets shared by pool, the short way of a
// change.
#include <catch2/catch.hpp>
#include <random>

#include "agent/dataplane/image.hpp"
#include "agent/dataplane/pool_records.hpp"
#include "agent/dataplane/publish.hpp"
#include "agent/dataplane/tables.hpp"
#include "agent/dns/respond.hpp"
#include "tests/bpf/dataplane/published.hpp"
#include "tests/support/choices.hpp"

using namespace nearside;
using namespace nearside::dataplane;
using namespace nearside::tests;
using namespace std::chrono_literals;

namespace {

struct fixture : published {
  using published::published;

  [[nodiscard]] std::uint32_t set_of(const std::string& owner) const { return find(owner).value().set; }
  [[nodiscard]] answer_ref answer(const std::string& owner, type_class column = TYPE_CLASS_A) const {
    return answers_of(tables, set_of(owner))[column];
  }
  /// Last octet of the address that comes first in an alternative; -1: no image, 0: NODATA.
  [[nodiscard]] int address(const std::string& owner, std::uint8_t alternative = 0) const {
    const auto seen = image_of(tables, answer(owner), alternative);
    if (!seen) return -1;
    return seen->ancount == 0 ? 0 : seen->octets[15];
  }
};

const std::vector<std::string> SERVERS{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"};

dns::zone_set two_pools() {
  return zone_builder()
      .pooled("a.lb.example.", 0, SERVERS)
      .pooled("b.lb.example.", 0, SERVERS)
      .pooled("c.lb.example.", 1, SERVERS)
      .pooled("d.lb.example.", 0, SERVERS)
      .text("d.lb.example.", "hello")
      .servers("e.lb.example.", {"192.0.2.9"})
      .alone();
}

dns::choices both(const dns::choice& a, const dns::choice& aaaa) { return {{{a, aaaa}}, {{a, aaaa}}}; }

constexpr std::array<std::uint32_t, 1> FIRST{0};

}  // namespace

TEST_CASE("images put together from records are what the responder says, whatever is chosen", "[image][choice]") {
  std::mt19937 random(5);
  std::vector<std::string> servers;
  for (int i = 1; i <= 90; ++i) servers.push_back("192.0.2." + std::to_string(i));
  for (int i = 1; i <= 50; ++i) servers.push_back("2001:db8::" + std::to_string(i));
  const auto zones = zone_builder().pooled("www.lb.example.", 2, servers).alone();
  const auto owner = name_of("www.lb.example.");
  const auto& zone = zones.zones()[0];
  for (int i = 0; i < 300; ++i) {
    for (const auto which : {TYPE_CLASS_A, TYPE_CLASS_AAAA}) {
      const auto* set = zone.find(owner)->find(query_type_of(which));
      dns::choice made{dns::choice::kind::answer, random() % 2 == 0, static_cast<std::uint32_t>(random()), {}};
      for (auto n = 1 + random() % 8; n > 0; --n) {
        dns::alternative one;
        for (auto left = 1 + random() % set->rdatas.size(); left > 0; --left)
          one.order.push_back(static_cast<std::uint8_t>(random() % set->rdatas.size()));
        made.alternatives.push_back(one);
      }
      const dns::choices chosen{{}, {}, {{made, made}}};
      const auto images = render_column(zones, chosen, owner, zone.apex().wire().size(), *zone.find(owner), which);
      CHECK(images.by_client == made.by_client);
      if (images.images.size() == 1 && made.alternatives.size() > 1) {
        CHECK((images.images[0].flags & IMAGE_TRUNCATED) != 0);
        continue;
      }
      REQUIRE(images.images.size() == made.alternatives.size());
      for (std::size_t k = 0; k < images.images.size(); ++k) {
        auto expected = cut(zones, chosen, owner, zone.apex().wire().size(), set->type, k).value();
        if (!fits_in_a_reply(expected.octets.size())) expected = truncated_image(expected.flags);
        REQUIRE(images.images[k] == expected);
      }
    }
  }
}

TEST_CASE("names of one pool share a set, whatever it answers; those of another do not", "[publish][choice]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  publisher.publish(two_pools(), both(rotation(3), rotation(2)), {}).value();
  CHECK(f.set_of("a.lb.example.") == f.set_of("b.lb.example."));
  CHECK(f.set_of("a.lb.example.") != f.set_of("c.lb.example."));
  CHECK(f.set_of("a.lb.example.") != f.set_of("d.lb.example."));
  CHECK(f.answer("a.lb.example.").alternatives == 3);
  // Equal images are stored once.
  CHECK(f.answer("a.lb.example.").slot == f.answer("c.lb.example.").slot);
}

TEST_CASE("a change switches the words of the pool's sets and no other", "[publish][choice][change]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  auto chosen = both(rotation(3), rotation(2));
  publisher.publish(two_pools(), chosen, {}).value();
  const auto generation = f.tables.config().generation;
  chosen[0] = {{just({1}), rotation(2)}};
  const auto stats = publisher.change(chosen, FIRST);
  CHECK(stats.answers_changed == 2);  // the set of a and b, and that of d
  CHECK(stats.images_written == 1);
  CHECK(stats.names == 6);
  CHECK(f.tables.config().generation == generation + 1);
  CHECK(f.address("a.lb.example.") == 2);
  CHECK(f.address("d.lb.example.") == 2);
  CHECK(f.answer("c.lb.example.").alternatives == 3);
  CHECK(publisher.change(chosen, FIRST).unchanged());
  CHECK(f.tables.config().generation == generation + 1);
  // The long way finds nothing left to do.
  CHECK(publisher.publish(two_pools(), chosen, {}).value().unchanged());
}

TEST_CASE("a change to NODATA shares the zone's image, and SERVFAIL clears the word", "[publish][choice][change]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  auto chosen = both(rotation(3), rotation(2));
  publisher.publish(two_pools(), chosen, {}).value();
  chosen[0] = {{nodata(), servfail()}};
  CHECK(publisher.change(chosen, FIRST).images_written == 0);
  CHECK(f.address("a.lb.example.") == 0);
  CHECK(f.answer("a.lb.example.").slot == f.answer("a.lb.example.", TYPE_CLASS_MX).slot);
  CHECK(f.answer("a.lb.example.", TYPE_CLASS_AAAA).alternatives == 0);
  CHECK(publisher.publish(two_pools(), chosen, {}).value().unchanged());
  chosen[0] = {{rotation(3), rotation(2)}};
  publisher.change(chosen, FIRST);
  CHECK(f.address("a.lb.example.", 1) == 2);
  // Choices that do not fit the records are the agent's to refuse.
  chosen[0] = {{just({3}), rotation(2)}};
  publisher.change(chosen, FIRST);
  CHECK(f.address("a.lb.example.") == -1);
}

TEST_CASE("how an alternative is drawn is part of the word", "[publish][choice][change]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  auto chosen = both(weighted({1, 2, 5}), rotation(2));
  publisher.publish(two_pools(), chosen, {}).value();
  const auto before = f.answer("a.lb.example.");
  const auto image = image_of(f.tables, before, 0).value();
  CHECK(image.share == chosen[0].families[0].alternatives[0].share);
  CHECK(image.other == chosen[0].families[0].alternatives[0].other);
  chosen[0].families[0].by_client = true;
  CHECK(publisher.change(chosen, FIRST).images_written == 0);
  CHECK(f.answer("a.lb.example.").slot == before.slot);
  CHECK(f.answer("a.lb.example.").flags == (before.flags | ANSWER_BY_CLIENT));
  CHECK(f.adopt().publish(two_pools(), chosen, {}).value().unchanged());
}

TEST_CASE("after a restart what is pinned is answered until choices are published", "[publish][choice]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  const auto chosen = both(by_client(weighted({1, 2, 5})), just({1}));
  f.adopt().publish(two_pools(), chosen, both(rotation(3, 3), rotation(2, 3))).value();
  const auto a = f.answer("a.lb.example.");
  const auto stale = stale_answers_of(f.tables, f.set_of("a.lb.example."));
  CHECK(stale[0].alternatives == 3);
  CHECK(stale[1].alternatives == 2);
  auto next = f.adopt();
  CHECK(next.change(both(rotation(3), rotation(2)), FIRST).unchanged());  // there are no pools before publish()
  CHECK(f.answer("a.lb.example.").slot == a.slot);
  CHECK(f.answer("a.lb.example.").flags == a.flags);
  CHECK(stale_answers_of(f.tables, f.set_of("a.lb.example."))[0].slot == stale[0].slot);
  CHECK(next.publish(two_pools(), chosen, both(rotation(3, 3), rotation(2, 3))).value().unchanged());
}

TEST_CASE("the words past the lease go with their names", "[publish][choice][stale]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  const auto chosen = both(just({0}), nodata());
  publisher.publish(two_pools(), chosen, both(rotation(3, 3), rotation(2, 3))).value();
  const auto set = f.set_of("c.lb.example.");
  CHECK(stale_answers_of(f.tables, set)[0].alternatives == 3);
  CHECK(stale_answers_of(f.tables, f.set_of("e.lb.example."))[0].alternatives == 0);
  publisher.publish(zone_builder().servers("e.lb.example.", {"192.0.2.9"}).alone(), {}, {}).value();
  CHECK(stale_answers_of(f.tables, set)[0].alternatives == 0);
}

TEST_CASE("a change without a free slot leaves the answer to the agent until the quarantine of others is over",
          "[publish][choice][change]") {
  REQUIRE_KERNEL_SIDE();
  auto sizes = small_sizes();
  sizes.small_images = 3;
  sizes.large_images = 1;
  fixture f(sizes);
  auto publisher = f.adopt();
  const auto zones = [] { return zone_builder().pooled("a.lb.example.", 0, {"192.0.2.1", "192.0.2.2"}).alone(); };
  dns::choices chosen{{{just({0}), nodata()}}};
  REQUIRE(publisher.publish(zones(), chosen, {}).value().answers_left == 0);
  chosen[0].families[0] = just({1});
  const auto stats = publisher.change(chosen, FIRST);
  CHECK(stats.answers_left == 1);
  REQUIRE(stats.notes.size() == 1);
  CHECK_THAT(stats.notes[0], Catch::Contains("image slots"));
  CHECK(f.address("a.lb.example.") == -1);
  REQUIRE(stats.again_at.has_value());
  CHECK(*stats.again_at == f.now + publisher::quarantine);
  f.now = *stats.again_at;
  CHECK(publisher.change(chosen, FIRST).answers_left == 0);
  CHECK(f.address("a.lb.example.") == 2);
  CHECK(publisher.publish(zones(), chosen, {}).value().unchanged());
}

TEST_CASE("the numbers of pools that are gone change nothing", "[publish][choice][change]") {
  REQUIRE_KERNEL_SIDE();
  fixture f;
  auto publisher = f.adopt();
  publisher.publish(two_pools(), both(rotation(3), rotation(2)), {}).value();
  publisher.publish(zone_builder().pooled("a.lb.example.", 1, SERVERS).alone(), both(rotation(3), rotation(2)), {})
      .value();
  const std::array<std::uint32_t, 3> pools{0, 7, UINT32_MAX};
  CHECK(publisher.change(both(just({2}), just({1})), pools).unchanged());
  const std::array<std::uint32_t, 1> second{1};
  CHECK(publisher.change(both(just({2}), just({1})), second).answers_changed == 2);
}
