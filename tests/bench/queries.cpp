// SPDX-License-Identifier: BSD-2-Clause
#include "tests/bench/queries.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "tests/bench/kernel/client_rows.h"

namespace nearside::bench {

namespace {

constexpr std::size_t IP = 14;
constexpr std::size_t UDP = 34;

std::uint16_t word_at(std::span<const std::uint8_t> octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

void put_word(std::span<std::uint8_t> octets, std::size_t at, std::size_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

/// RFC 1071, not yet inverted.
std::uint32_t sum_of(std::span<const std::uint8_t> octets, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) sum += word_at(octets, i);
  if (octets.size() % 2 != 0) sum += static_cast<std::uint32_t>(octets.back() << 8);
  return sum;
}

std::uint16_t folded(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// Of the UDP datagram and its pseudo header, the checksum field as it stands.
std::uint16_t udp_sum(std::span<const std::uint8_t> frame) {
  const auto datagram = frame.subspan(UDP);
  const auto pseudo = static_cast<std::uint32_t>(17 + datagram.size());
  return folded(sum_of(datagram, sum_of(frame.subspan(IP + 12, 8), pseudo)));
}

std::array<std::uint8_t, FRAME_QNAME_OCTETS> wire_name(std::size_t number) {
  std::array<std::uint8_t, FRAME_QNAME_OCTETS> wire{};
  const std::string text = name_text(number);
  std::size_t length_at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      wire[length_at] = static_cast<std::uint8_t>(i - length_at);
      length_at = i + 1;
    } else {
      wire[i + 1] = static_cast<std::uint8_t>(text[i]);
    }
  }
  return wire;
}

/// Draws numbers of names.
class draw {
 public:
  draw(std::size_t names, distribution drawn) : names_(names), random_(20240501) {
    if (drawn == distribution::uniform) return;
    cumulated_.resize(names_);
    double sum = 0;
    for (std::size_t rank = 0; rank < names_; ++rank) cumulated_[rank] = sum += 1.0 / static_cast<double>(rank + 1);
    name_of_rank_.resize(names_);
    std::iota(name_of_rank_.begin(), name_of_rank_.end(), 0U);
    std::shuffle(name_of_rank_.begin(), name_of_rank_.end(), random_);
  }

  std::size_t operator()() {
    if (cumulated_.empty()) return random_() % names_;
    const double at = std::uniform_real_distribution<>(0, cumulated_.back())(random_);
    const auto rank = std::lower_bound(cumulated_.begin(), cumulated_.end(), at) - cumulated_.begin();
    return name_of_rank_[std::min(static_cast<std::size_t>(rank), names_ - 1)];
  }
  std::uint64_t bits() { return random_(); }

 private:
  std::size_t names_;
  std::mt19937_64 random_;
  std::vector<double> cumulated_;
  std::vector<std::uint32_t> name_of_rank_;
};

}  // namespace

std::vector<std::uint8_t> frame_of(form shape, const mac_address& from, const mac_address& to) {
  std::vector<std::uint8_t> frame(shape == form::plain ? FRAME_PLAIN : FRAME_EDNS);
  std::copy(to.begin(), to.end(), frame.begin());
  std::copy(from.begin(), from.end(), frame.begin() + 6);
  put_word(frame, 12, 0x0800);
  const std::array<std::uint8_t, 20> ip{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 53};
  std::copy(ip.begin(), ip.end(), frame.begin() + IP);
  put_word(frame, IP + 2, frame.size() - IP);
  put_word(frame, IP + 10, static_cast<std::uint16_t>(~folded(sum_of(std::span(frame).subspan(IP, 20)))));
  put_word(frame, UDP, 40000);
  put_word(frame, UDP + 2, 53);
  put_word(frame, UDP + 4, frame.size() - UDP);
  put_word(frame, FRAME_DNS + 4, 1);   // QDCOUNT
  put_word(frame, FRAME_TAIL, 1);      // A
  put_word(frame, FRAME_TAIL + 2, 1);  // IN
  if (shape == form::real) {
    put_word(frame, FRAME_DNS + 10, 1);  // ARCOUNT
    // OPT with 1232 octets and DO, then COOKIE with a client's eight octets (RFC 6891, RFC 7873).
    const std::array<std::uint8_t, 23> opt{0,  0, 41, 0x04, 0xd0, 0,    0,    0x80, 0,    0,    12,  0,
                                           10, 0, 8,  0x3a, 0x91, 0x5c, 0x07, 0xe2, 0x48, 0xbd, 0x16};
    std::copy(opt.begin(), opt.end(), frame.begin() + FRAME_PLAIN);
  }
  return frame;
}

std::uint32_t ip_sum_of(const workload& asked, std::span<const std::uint8_t> frame) {
  if (asked.clients == 0) return 0;
  // As the kernel's sums are: words in the order of memory.
  std::uint32_t sum = 0;
  for (std::size_t at = IP; at < IP + 20; at += 2) {
    if (at == FRAME_IP_CHECK || at == FRAME_SOURCE || at == FRAME_SOURCE + 2) continue;
    std::uint16_t word = 0;
    std::memcpy(&word, frame.data() + at, sizeof word);
    sum += word;
  }
  return sum;
}

std::vector<prepared_query> sequence_of(const workload& asked, std::span<const std::uint8_t> frame) {
  std::vector<prepared_query> all(SEQUENCE_LENGTH);
  std::vector<std::uint8_t> whole(frame.begin(), frame.end());
  draw next(asked.names, asked.drawn);
  draw next_client(asked.clients, asked.drawn);
  for (auto& query : all) {
    auto wire = wire_name(next());
    const std::uint64_t bits = next.bits();
    if (asked.shape == form::real) {
      for (std::size_t i = 0; i < wire.size(); ++i) {
        const bool letter = wire[i] >= 'a' && wire[i] <= 'z';
        if (letter && (bits >> i & 1) != 0) wire[i] = static_cast<std::uint8_t>(wire[i] & ~0x20);
      }
    }
    std::copy(wire.begin(), wire.end(), whole.begin() + FRAME_QNAME);
    std::memcpy(&query.qname, wire.data(), wire.size());
    if (asked.clients != 0) {
      const std::uint32_t address = bench_address4(static_cast<std::uint32_t>(next_client()));
      put_word(whole, FRAME_SOURCE, address >> 16);
      put_word(whole, FRAME_SOURCE + 2, address & 0xffff);
      std::memcpy(&query.source, whole.data() + FRAME_SOURCE, sizeof(query.source));
    }
    put_word(whole, FRAME_DNS, bits >> 48);
    std::memcpy(&query.id, whole.data() + FRAME_DNS, sizeof(query.id));
    put_word(whole, FRAME_UDP_CHECK, 0);
    const auto check = static_cast<std::uint16_t>(~udp_sum(whole));
    put_word(whole, FRAME_UDP_CHECK, check == 0 ? 0xffff : check);
    std::memcpy(&query.udp_check, whole.data() + FRAME_UDP_CHECK, sizeof(query.udp_check));
  }
  return all;
}

namespace {

/// What is wrong with a referral, its checksums aside.
std::string complaint_about_referral(std::span<const std::uint8_t> frame, const workload& asked) {
  if ((word_at(frame, FRAME_DNS + 2) & 0x860f) != 0x8000) return "not QR=1, AA=0, TC=0, NOERROR";
  if (word_at(frame, FRAME_DNS + 6) != 0 || word_at(frame, FRAME_DNS + 8) != 2) return "not two NS and no answer";
  if (word_at(frame, FRAME_DNS + 10) != (asked.shape == form::real ? 5 : 4)) return "ARCOUNT";
  const std::uint32_t client = static_cast<std::uint32_t>(word_at(frame, 30)) << 16 | word_at(frame, 32);
  // Whose address this is: the factor's inverse gives the number back.
  std::uint32_t inverse = 1;
  for (int i = 0; i < 5; ++i) inverse *= 2 - 2654435761u * inverse;
  const std::uint32_t row = (client - 0x20000000u) * inverse & 0x3fffffffu;
  if (row >= asked.clients) return "a client that did not ask";
  const std::string edge = edge_text(bench_site(row, asked.sites));
  const std::string seen(frame.begin() + FRAME_PLAIN + 13, frame.begin() + FRAME_PLAIN + 13 + 7);
  if (seen != edge.substr(0, 7)) return "referred to " + seen + " and not to " + edge;
  return {};
}

}  // namespace

std::string complaint_about(std::span<const std::uint8_t> reply, const workload& asked) {
  if (reply.size() < FRAME_PLAIN + 16) return "too short for an answer: " + std::to_string(reply.size()) + " octets";
  const std::size_t end = IP + word_at(reply, IP + 2);
  if (end > reply.size() || end != UDP + std::size_t{word_at(reply, UDP + 4)}) return "lengths disagree";
  const auto frame = reply.first(end);
  if (folded(sum_of(frame.subspan(IP, 20))) != 0xffff) return "IP checksum";
  if (word_at(frame, FRAME_UDP_CHECK) == 0 || udp_sum(frame) != 0xffff) return "UDP checksum";
  if (asked.sites != 0) return complaint_about_referral(frame, asked);
  if ((word_at(frame, FRAME_DNS + 2) & 0x840f) != 0x8400) return "not QR=1, AA=1, NOERROR";
  if (word_at(frame, FRAME_DNS + 6) != 1) return "ANCOUNT is not 1";
  if (asked.shape == form::real && word_at(frame, FRAME_DNS + 10) == 0) return "OPT record missing";
  std::size_t number = 0;
  for (std::size_t i = 2; i < 8; ++i) number = number * 10 + (frame[FRAME_QNAME + i] - std::size_t{'0'});
  if (number >= asked.names) return "a name that was not asked";
  const auto expected = wire_name(number);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::uint8_t octet = frame[FRAME_QNAME + i];
    const bool upper = octet >= 'A' && octet <= 'Z';
    if ((upper ? octet | 0x20 : octet) != expected[i]) return "another QNAME";
  }
  const std::array<std::uint8_t, 6> head{0xc0, 0x0c, 0, 1, 0, 1};
  if (!std::equal(head.begin(), head.end(), frame.begin() + FRAME_PLAIN))
    return "the answer is not the name's A record";
  const auto server = server_of(number);
  if (word_at(frame, FRAME_PLAIN + 10) != 4 ||
      !std::equal(server.begin(), server.end(), frame.begin() + FRAME_PLAIN + 12))
    return "the address is not that of the name's server";
  return {};
}

}  // namespace nearside::bench
