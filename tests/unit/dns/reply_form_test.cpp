// SPDX-License-Identifier: BSD-2-Clause
// The octets of a reply: header, compression, limits, and what malformed messages get.
#include "fixture.hpp"

namespace nearside::dns {

namespace {
octets head(const reply& r) { return {r.wire.begin(), r.wire.begin() + 12}; }
}  // namespace

TEST_CASE("ID, opcode, RD and CD are echoed, RA, Z and AD are clear", "[dns][reply][rfc1035]") {
  query_builder q("one.lb.example", rr_type::a);
  q.message[2] = 0x07;  // AA, TC and RD, which mean nothing but RD
  q.message[3] = 0xf0;  // RA, Z, AD, CD
  CHECK(head(ask(q)) == octets{0x12, 0x34, 0x85, 0x10, 0, 1, 0, 1, 0, 0, 0, 0});
}

TEST_CASE("the question is echoed as it came and its case kept", "[dns][reply][rfc4343]") {
  const query_builder q("oNe.LB.exAMPLE", rr_type::a);
  const auto r = ask(q);
  CHECK(octets(r.wire.begin() + 12, r.wire.begin() + static_cast<std::ptrdiff_t>(q.message.size())) ==
        octets(q.message.begin() + 12, q.message.end()));
  CHECK(r.behind(q) == octets{0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 20, 0, 4, 192, 0, 2, 99});
}

TEST_CASE("the owner of a negative answer's SOA points to the zone inside the QNAME", "[dns][reply][compression]") {
  const query_builder q("one.lb.example", rr_type::aaaa);
  const auto behind = ask(q).behind(q);
  CHECK(octets(behind.begin(), behind.begin() + 12) == octets{0xc0, 0x10, 0, 6, 0, 1, 0, 0, 0, 30, 0, 53});
  const query_builder apex("lb.example", rr_type::aaaa);
  CHECK(ask(apex).behind(apex)[1] == 0x0c);
}

TEST_CASE("owners are compressed against owners, never against RDATA", "[dns][reply][compression]") {
  const query_builder q("lb.example", rr_type::ns);
  const auto behind = ask(q).behind(q);
  // Three NS: 12 + 16, 12 + 19, 12 + 16; then ns1 in full with a pointer to the zone, and a pointer to that.
  REQUIRE(behind.size() > 130);
  CHECK(octets(behind.begin() + 87, behind.begin() + 95) == octets{3, 'n', 's', '1', 0xc0, 0x0c, 0, 1});
  const auto second = static_cast<std::uint8_t>(q.message.size() + 87);
  CHECK(octets(behind.begin() + 107, behind.begin() + 111) == octets{0xc0, second, 0, 28});
}

TEST_CASE("the root's name is one octet, not a pointer", "[dns][reply][compression]") {
  zone_set zones;
  zones.add(zone_of(".", "@ SOA ns. h. 1 2 3 4 5\n@ NS ns.\nns. A 192.0.2.1\n")).value();
  const query_builder q("ns.", rr_type::aaaa);
  const auto nodata = ask(zones, q.message);
  CHECK(octets(nodata.wire.begin() + static_cast<std::ptrdiff_t>(q.message.size()), nodata.wire.end())[2] == 6);
  CHECK(nodata.authority.size() == 1);
  CHECK(ask(zones, query_builder(".", rr_type::ns).message).answer.size() == 1);
}

TEST_CASE("a response and less than a header get no reply", "[dns][reply]") {
  query_builder q("one.lb.example", rr_type::a);
  CHECK(ask(usual_zones(), octets(q.message.begin(), q.message.begin() + 11)).empty());
  CHECK(ask(usual_zones(), {}).empty());
  q.message[2] |= 0x80;
  CHECK(ask(q).empty());
}

TEST_CASE("opcodes other than QUERY are not implemented, question echoed where there is one", "[dns][reply][rfc8906]") {
  query_builder q("one.lb.example", rr_type::a);
  q.message[2] = 0x79;
  const auto r = ask(q);
  CHECK(r.code == 4);
  CHECK(r.wire[2] == 0xf9);
  CHECK(r.has_question());
  const auto bare = ask(usual_zones(), {0, 1, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(bare.code == 4);
  CHECK(bare.wire.size() == 12);
}

TEST_CASE("QDCOUNT other than 1 is FORMERR without a question", "[dns][reply][rfc9619]") {
  query_builder q("one.lb.example", rr_type::a);
  for (const std::uint8_t count : {std::uint8_t{0}, std::uint8_t{2}}) {
    q.message[5] = count;
    const auto r = ask(q);
    CHECK(r.code == 1);
    CHECK(r.wire.size() == 12);
    CHECK_FALSE(r.has_question());
  }
}

TEST_CASE("a question that cannot be read is FORMERR, header only", "[dns][reply]") {
  const octets header{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (const octets& rest :
       {octets{}, octets{1, 'a', 0, 0, 1, 0}, octets{0xc0, 12, 0, 1, 0, 1}, octets{0x41, 0, 0, 1, 0, 1}}) {
    octets message = header;
    message.insert(message.end(), rest.begin(), rest.end());
    const auto r = ask(usual_zones(), message);
    CHECK(r.code == 1);
    CHECK(r.wire.size() == 12);
  }
}

TEST_CASE("octets behind the message are FORMERR", "[dns][reply]") {
  query_builder q("one.lb.example", rr_type::a);
  q.message.push_back(0);
  const auto r = ask(q);
  CHECK(r.code == 1);
  CHECK(r.has_question());
}

TEST_CASE("records that are cut off are FORMERR, whole ones are passed over", "[dns][reply]") {
  query_builder q("one.lb.example", rr_type::a);
  q.message[9] = 1;
  CHECK(ask(q).code == 1);
  const octets record{0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 1, 9};
  q.message.insert(q.message.end(), record.begin(), record.end());
  CHECK(ask(q).code == 0);
}

TEST_CASE("transfers are refused and meta types have their own RCODEs", "[dns][reply][rfc8906]") {
  const auto code = [](unsigned qtype) { return ask(query_builder("lb.example", qtype)).code; };
  CHECK(code(rr_type::axfr) == 5);
  CHECK(code(rr_type::ixfr) == 5);
  CHECK(code(rr_type::mailb) == 4);
  CHECK(code(rr_type::maila) == 4);
  CHECK(code(249) == 4);
  CHECK(code(rr_type::opt) == 1);
  CHECK(code(rr_type::nxname) == 1);
  CHECK(code(1000) == 0);
}

TEST_CASE("classes other than IN are refused, but for what CH tells of the server", "[dns][reply][rfc4892]") {
  CHECK(ask(query_builder("one.lb.example", rr_type::a, 255)).code == 5);
  CHECK(ask(query_builder("one.lb.example", rr_type::a, 4)).code == 5);
  CHECK(ask(query_builder("one.lb.example", rr_type::txt, 3)).code == 5);
  CHECK(ask(query_builder("id.server", rr_type::txt, 3)).answer == strings{"id.server. 0 CH TXT \"e17\""});
  CHECK(ask(query_builder("HOSTNAME.bind", rr_type::txt, 3)).answer == strings{"HOSTNAME.bind. 0 CH TXT \"e17\""});
  CHECK(ask(query_builder("version.bind", rr_type::txt, 3)).answer == strings{"version.bind. 0 CH TXT \"1.0\""});
  CHECK(ask(query_builder("version.server", rr_type::any, 3)).answer.size() == 1);
  CHECK(ask(query_builder("version.bind", rr_type::a, 3)).code == 5);
  const auto untold =
      take_apart(respond(usual_zones(), {}, {}, query_builder("version.bind", rr_type::txt, 3).message, {}));
  CHECK(untold.code == 5);
}

TEST_CASE("a reply over the client's limit is TC with question and OPT alone", "[dns][reply][rfc2181]") {
  std::string records = usual_records;
  for (int i = 0; i < 60; ++i) records += "many A 10.0.0." + std::to_string(i) + "\n";
  for (int i = 0; i < 90; ++i) records += "most A 10.0.0." + std::to_string(i) + "\n";
  zone_set zones;
  zones.add(zone_of("lb.example.", records)).value();
  const auto many = [&](unsigned size) {
    return ask(zones, query_builder("many.lb.example", rr_type::a).opt({}, size).message);
  };
  const auto plain = ask(zones, query_builder("many.lb.example", rr_type::a).message);
  CHECK(plain.tc);
  CHECK(plain.aa);
  CHECK(plain.answer.empty());
  CHECK_FALSE(plain.has_opt);
  // 12 + 21 + 60 * 16 + 11 octets with OPT.
  CHECK(many(1004).answer.size() == 60);
  CHECK(many(1004).wire.size() == 1004);
  CHECK(many(1003).tc);
  CHECK(many(1003).has_opt);
  CHECK(many(0).tc);
  // No client gets more than 1232 octets by UDP, and all by TCP.
  CHECK(ask(zones, query_builder("most.lb.example", rr_type::a).opt({}, 4096).message).tc);
  CHECK(ask(zones, query_builder("most.lb.example", rr_type::a).message, {.tcp = true}).answer.size() == 90);
}

}  // namespace nearside::dns
