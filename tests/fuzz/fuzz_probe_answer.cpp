// SPDX-License-Identifier: BSD-2-Clause
// Any octets as what a checked server sends: the first octet chooses among HTTP, DNS, ICMP and a program's output, the
// rest is the answer. Seeds: tests/fuzz/seeds/probe_answer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/probe/dns_question.hpp"
#include "agent/probe/echo_packet.hpp"
#include "agent/probe/exec.hpp"
#include "agent/probe/http_answer.hpp"

namespace {

using namespace nearside;
using namespace nearside::probe;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The same octets, as one piece and in pieces: the same status, body and end.
void try_http(std::string_view octets) {
  constexpr std::size_t limit = 64;
  http_answer whole(limit, false);
  http_answer pieces(limit, false);
  const bool whole_wrong = whole.take(octets).has_value();
  bool pieces_wrong = false;
  for (std::size_t at = 0; at < octets.size() && !pieces_wrong && !pieces.enough(); at += 7)
    pieces_wrong = pieces.take(octets.substr(at, 7)).has_value();
  require(whole.body().size() <= limit);
  require(pieces.body().size() <= limit);
  if (whole_wrong || pieces_wrong) return;
  require(whole.enough() == pieces.enough());
  require(whole.body() == pieces.body());
  if (whole.enough()) require(whole.status() == pieces.status());
}

void try_dns(std::span<const std::uint8_t> octets) {
  static const auto question = [] {
    config::check check;
    check.qname = "www.example.com";
    check.qtype = 1;
    check.rdata = {"192.0.2.1"};
    return dns_question::make(check).value();
  }();
  const auto judged = question.judge(octets, 0x0707);
  require(judged.ours || !judged.wrong);
  if (judged.ours) require(octets[0] == 7 && octets[1] == 7 && (octets[2] & 0x80) != 0);
}

void try_icmp(std::span<const std::uint8_t> octets) {
  if (const auto answer = read_echo_v4(octets)) require(octets.size() >= 28);
  if (const auto answer = read_echo_v6(octets)) require(octets.size() >= 56);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> octets(data + 1, size - 1);
  const std::string text(octets.begin(), octets.end());
  switch (data[0] % 4) {
    case 0: try_http(text); break;
    case 1: try_dns(octets); break;
    case 2: try_icmp(octets); break;
    default:
      if (const auto rtt = stated_rtt(text)) require(rtt->count() >= 0);
  }
  return 0;
}
