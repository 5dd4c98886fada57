// SPDX-License-Identifier: BSD-2-Clause
#include "agent/probe/dns_question.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace nearside;
using namespace nearside::probe;

namespace {

config::check about(const std::string& qname, std::uint16_t qtype, std::vector<std::string> rdata = {}) {
  config::check check;
  check.type = config::check_type::dns;
  check.qname = qname;
  check.qtype = qtype;
  check.rdata = std::move(rdata);
  return check;
}

/// A reply with these records, as octets.
std::vector<std::uint8_t> reply(const char* qname, ldns_rr_type qtype, ldns_pkt_rcode rcode,
                                const std::vector<const char*>& records, std::uint16_t id = 7) {
  const dns::owned_packet packet(ldns_pkt_query_new(ldns_dname_new_frm_str(qname), qtype, LDNS_RR_CLASS_IN, LDNS_QR));
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_set_rcode(packet.get(), static_cast<std::uint8_t>(rcode));
  for (const char* text : records) {
    ldns_rr* rr = nullptr;
    REQUIRE(ldns_rr_new_frm_str(&rr, text, 0, nullptr, nullptr) == LDNS_STATUS_OK);
    ldns_pkt_push_rr(packet.get(), LDNS_SECTION_ANSWER, rr);
  }
  std::uint8_t* wire = nullptr;
  std::size_t octets = 0;
  REQUIRE(ldns_pkt2wire(&wire, packet.get(), &octets) == LDNS_STATUS_OK);
  std::vector<std::uint8_t> all(wire, wire + octets);
  std::free(wire);  // NOLINT(*-no-malloc): ldns's
  return all;
}

std::string reason(const dns_question::judgement& judged) {
  REQUIRE(judged.ours);
  return judged.wrong ? judged.wrong->reason : "";
}

}  // namespace

TEST_CASE("a query carries its ID, asks for recursion, and has an OPT", "[probe][dns]") {
  const auto question = dns_question::make(about("www.example.com", 28));
  REQUIRE(question.has_value());
  const auto octets = question->query(0xabcd);
  CHECK(octets[0] == 0xab);
  CHECK(octets[1] == 0xcd);
  ldns_pkt* parsed = nullptr;
  REQUIRE(ldns_wire2pkt(&parsed, octets.data(), octets.size()) == LDNS_STATUS_OK);
  const dns::owned_packet packet(parsed);
  CHECK(ldns_pkt_rd(parsed));
  CHECK(ldns_pkt_edns_udp_size(parsed) == 1232);
  CHECK(ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(parsed), 0)) == LDNS_RR_TYPE_AAAA);
}

TEST_CASE("each expected rdata must be among the answers, in any order and case, also behind a CNAME", "[probe][dns]") {
  const auto question = dns_question::make(about("www.example.com", 1, {"192.0.2.1", "192.0.2.2"}));
  REQUIRE(question.has_value());
  const auto judged = [&](const std::vector<const char*>& records) {
    return reason(question->judge(reply("WWW.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, records), 7));
  };
  CHECK(judged({"www.example.com. 5 IN CNAME a.example.", "a.example. 5 IN A 192.0.2.2", "a.example. 5 IN A 192.0.2.1",
                "a.example. 5 IN A 192.0.2.3"})
            .empty());
  CHECK(judged({"www.example.com. 5 IN A 192.0.2.2"}) == "dns: no expected rdata");
  CHECK(judged({}) == "dns: no expected rdata");

  const auto names = dns_question::make(about("example.com", 15, {"10 Mail.Example.com."}));
  REQUIRE(names.has_value());
  CHECK(reason(names->judge(reply("example.com.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR,
                                  {"example.com. 5 IN MX 10 mail.EXAMPLE.com."}),
                            7))
            .empty());
}

TEST_CASE("another rcode than the expected one fails by its name", "[probe][dns]") {
  auto check = about("www.example.com", 1);
  const auto good = dns_question::make(check);
  REQUIRE(good.has_value());
  CHECK(reason(good->judge(reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_SERVFAIL, {}), 7)) == "dns SERVFAIL");
  CHECK(reason(good->judge(reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {}), 7)).empty());
  check.rcode = LDNS_RCODE_NXDOMAIN;
  const auto missing = dns_question::make(check);
  REQUIRE(missing.has_value());
  CHECK(reason(missing->judge(reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, {}), 7)).empty());
  CHECK(reason(missing->judge(reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {}), 7)) == "dns NOERROR");
}

TEST_CASE("what does not answer this question is passed over", "[probe][dns]") {
  const auto question = dns_question::make(about("www.example.com", 1));
  REQUIRE(question.has_value());
  const auto right = reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {});
  CHECK(question->judge(right, 7).ours);
  CHECK_FALSE(question->judge(right, 8).ours);
  CHECK_FALSE(question->judge({}, 7).ours);
  CHECK_FALSE(question->judge(std::span(right).first(11), 7).ours);
  CHECK_FALSE(question->judge(question->query(7), 7).ours);
  CHECK_FALSE(question->judge(reply("ww.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {}), 7).ours);
  CHECK_FALSE(question->judge(reply("www.example.com.", LDNS_RR_TYPE_AAAA, LDNS_RCODE_NOERROR, {}), 7).ours);
}

TEST_CASE("a refusal may leave the question out, an answer may not", "[probe][dns]") {
  const auto question = dns_question::make(about("www.example.com", 1));
  REQUIRE(question.has_value());
  const auto without_question = [](ldns_pkt_rcode rcode) {
    auto octets = reply("www.example.com.", LDNS_RR_TYPE_A, rcode, {});
    octets[5] = 0;  // QDCOUNT
    octets.resize(LDNS_HEADER_SIZE);
    return octets;
  };
  CHECK(reason(question->judge(without_question(LDNS_RCODE_REFUSED), 7)) == "dns REFUSED");
  CHECK_FALSE(question->judge(without_question(LDNS_RCODE_NOERROR), 7).ours);
}

TEST_CASE("expected rdata that is missing from a truncated reply is told so", "[probe][dns]") {
  const auto question = dns_question::make(about("www.example.com", 1, {"192.0.2.1"}));
  REQUIRE(question.has_value());
  auto octets = reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {});
  octets[2] |= 0x02;  // TC
  CHECK(reason(question->judge(octets, 7)) == "dns: truncated");
  octets = reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {"www.example.com. 5 IN A 192.0.2.1"});
  octets[2] |= 0x02;
  CHECK(reason(question->judge(octets, 7)).empty());
}

TEST_CASE("a reply with our ID that cannot be parsed is a failure", "[probe][dns]") {
  const auto question = dns_question::make(about("www.example.com", 1));
  REQUIRE(question.has_value());
  auto octets = reply("www.example.com.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, {"www.example.com. 5 IN A 192.0.2.2"});
  octets.resize(octets.size() - 3);
  CHECK(reason(question->judge(octets, 7)) == "dns: malformed reply");
}

TEST_CASE("a check whose qname or rdata makes no sense is refused", "[probe][dns]") {
  CHECK_FALSE(dns_question::make(about("a..b", 1)).has_value());
  CHECK_FALSE(dns_question::make(about("example.com", 1, {"2001:db8::1"})).has_value());
  CHECK_FALSE(dns_question::make(about("example.com", 15, {"mail.example.com."})).has_value());
}
