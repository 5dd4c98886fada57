// SPDX-License-Identifier: BSD-2-Clause
// Any octets to the responder, over UDP and TCP: the reply keeps to the limits, repeats the question and can be read by
// ldns, which is not our parser. Seeds: tests/fuzz/seeds/respond, what resolvers really send.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "agent/dns/ldns.hpp"
#include "agent/dns/master_file.hpp"
#include "agent/dns/respond.hpp"
#include "tests/support/choices.hpp"

namespace {

using namespace nearside::dns;

constexpr const char* records = R"($TTL 20
@ 300 IN SOA ns1 host 1 3600 600 86400 30
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
ns2 A 192.0.2.2
www A 192.0.2.80
www A 192.0.2.81
www AAAA 2001:db8::80
www TXT "text"
alias CNAME www
nowhere CNAME missing
outside CNAME www.example.net.
inward CNAME host.sub
*.wild A 192.0.2.7
a.ent MX 10 www
h HTTPS 1 . alpn=h2
sub NS ns.sub
sub DS 1 13 2 00
ns.sub A 192.0.2.53
)";

void require(bool holds) {
  if (!holds) std::abort();
}

zone_set make_zones() {
  zone z(name::from_text("lb.example.").value());
  std::vector<master_error> errors;
  read_master_text(records, "records", 1, 20, z, errors);
  for (int i = 0; i < 100; ++i) {
    z.add(name::from_text("many.lb.example.").value(), 1, 20, {192, 0, 2, static_cast<std::uint8_t>(i)}).value();
  }
  require(errors.empty());
  z.balance(name::from_text("www.lb.example.").value(), 0);
  z.balance(name::from_text("*.wild.lb.example.").value(), 1);
  z.check().value();
  zone_set zones;
  zones.add(std::move(z)).value();
  return zones;
}

void check_reply(const std::vector<std::uint8_t>& reply, const std::uint8_t* data, std::size_t size, bool tcp) {
  if (reply.empty()) return require(size < 12 || (data[2] & 0x80) != 0);
  require(reply.size() >= 12 && reply.size() <= (tcp ? 65'535 : 1232));
  require(reply[0] == data[0] && reply[1] == data[1] && (reply[2] & 0x80) != 0);
  if (reply[5] == 1) {
    std::size_t question = 12;
    while (reply[question] != 0) question += 1U + reply[question];
    question += 5;
    require(question <= reply.size() && question <= size && std::equal(data + 12, data + question, reply.begin() + 12));
  }
  ldns_pkt* packet = nullptr;
  require(ldns_wire2pkt(&packet, reply.data(), reply.size()) == LDNS_STATUS_OK);
  ldns_pkt_free(packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const zone_set zones = make_zones();
  static const identity self{"e17", "1.0"};
  using namespace nearside::tests;
  static const choices chosen{{{by_client(weighted({1, 2})), nodata()}}, {{servfail(), nodata()}}};
  for (const bool tcp : {false, true}) {
    check_reply(respond(zones, chosen, self, {data, size}, {.tcp = tcp, .random = static_cast<std::uint32_t>(size)}),
                data, size, tcp);
  }
  return 0;
}
