// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include "agent/dataplane/image.hpp"
#include "tests/bpf/dataplane/zones.hpp"

using namespace nearside;
using namespace nearside::dataplane;
using namespace nearside::tests;

namespace {

std::vector<image> column(const dns::zone_set& zones, const std::string& owner, type_class c) {
  const auto n = name_of(owner);
  const dns::zone* const zone = zones.enclosing(n);
  return render_column(zones, {}, n, zone->apex().wire().size(), *zone->find(n), c).images;
}

}  // namespace

TEST_CASE("the checksum is the ones' complement sum of little-endian words, an odd tail padded", "[image]") {
  CHECK(checksum_of({}) == 0);
  CHECK(checksum_of(std::vector<std::uint8_t>{0x01}) == 0x0001);
  CHECK(checksum_of(std::vector<std::uint8_t>{0x01, 0x02}) == 0x0201);
  CHECK(checksum_of(std::vector<std::uint8_t>{0xff, 0xff, 0x02}) == 0x0002);
  CHECK(checksum_of(std::vector<std::uint8_t>{0xff, 0xff, 0xff, 0xff}) == 0xffff);
}

TEST_CASE("an address answer has one image an address, each beginning with another one", "[image]") {
  const auto zones = zone_builder().servers("www.lb.example.", {"192.0.2.1", "192.0.2.2", "192.0.2.3"}).alone();
  const auto images = column(zones, "www.lb.example.", TYPE_CLASS_A);
  REQUIRE(images.size() == 3);
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(images[k].ancount == 3);
    CHECK(images[k].verdict == VERDICT_ANSWERED);
    CHECK(images[k].flags == IMAGE_AUTHORITATIVE);
    CHECK(images[k].zone_pointer == NO_ZONE_POINTER);
    REQUIRE(images[k].octets.size() == 48);
    CHECK(images[k].octets[0] == 0xc0);
    CHECK(images[k].octets[1] == 0x0c);
    CHECK(images[k].octets[15] == k + 1);
    CHECK(images[k].checksum == checksum_of(images[k].octets));
  }
}

TEST_CASE("NODATA is one image with the SOA, its owner left to the program", "[image]") {
  const auto zones = zone_builder().servers("www.lb.example.", {"192.0.2.1"}).alone();
  const auto images = column(zones, "www.lb.example.", TYPE_CLASS_AAAA);
  REQUIRE(images.size() == 1);
  CHECK(images[0].verdict == VERDICT_ANSWERED_NODATA);
  CHECK(images[0].ancount == 0);
  CHECK(images[0].nscount == 1);
  CHECK(images[0].zone_pointer == 0);
  CHECK(images[0].octets[0] == 0);
  CHECK(images[0].octets[1] == 0);
  CHECK(images[0].checksum == checksum_of(images[0].octets));
  CHECK(column(zones, "www.lb.example.", TYPE_CLASS_OTHER) == images);
  CHECK(column(zones, "lb.example.", TYPE_CLASS_AAAA) == images);
}

TEST_CASE("NODATA of the root zone has no pointer", "[image]") {
  const auto zones = zone_builder(".").servers("www.", {"192.0.2.1"}).alone();
  const auto images = column(zones, "www.", TYPE_CLASS_AAAA);
  REQUIRE(images.size() == 1);
  CHECK(images[0].zone_pointer == NO_ZONE_POINTER);
  CHECK(images[0].octets[0] == 0);
  CHECK(images[0].octets[2] == 6);
}

TEST_CASE("other types are answered only where the name has none of them", "[image]") {
  const auto zones = zone_builder()
                         .servers("www.lb.example.", {"192.0.2.1"})
                         .add("www.lb.example.", 257, {0, 5, 'i', 's', 's', 'u', 'e', 'x'})
                         .alone();
  CHECK(column(zones, "www.lb.example.", TYPE_CLASS_OTHER).empty());
  CHECK(column(zones, "www.lb.example.", TYPE_CLASS_A).size() == 1);
}

TEST_CASE("an answer that no UDP reply holds always says TC=1", "[image]") {
  zone_builder builder;
  for (int i = 0; i < 80; ++i) builder.servers("many.lb.example.", {"192.0.2." + std::to_string(i + 1)});
  for (int i = 0; i < 70; ++i) builder.servers("fits.lb.example.", {"192.0.2." + std::to_string(i + 1)});
  const auto zones = builder.alone();
  const auto images = column(zones, "many.lb.example.", TYPE_CLASS_A);
  REQUIRE(images.size() == 1);
  CHECK(images[0].flags == (IMAGE_AUTHORITATIVE | IMAGE_TRUNCATED));
  CHECK(images[0].ancount == 0);
  CHECK(images[0].octets.empty());
  CHECK(column(zones, "fits.lb.example.", TYPE_CLASS_A)[0].ancount == 70);
}

TEST_CASE("DS at an apex is left to userland where the parent zone is served too", "[image][rfc4035]") {
  auto zones = zone_builder("example.")
                   .add("lb.example.", 43, {0, 1, 13, 2, 0})
                   .target("lb.example.", 2, "ns.example.net.")
                   .alone();
  zones.add(zone_builder("lb.example.").take()).value();
  CHECK(column(zones, "lb.example.", TYPE_CLASS_OTHER).empty());
  const auto alone = zone_builder("lb.example.").alone();
  CHECK(column(alone, "lb.example.", TYPE_CLASS_OTHER).size() == 1);
}
