// SPDX-License-Identifier: BSD-2-Clause
#include "agent/dataplane/counters.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace nearside::dataplane {

namespace {

using enum counter_group;

constexpr std::array descriptions = {
    counter_description{VERDICT_ANSWERED, answered, "answered", "answered with records"},
    counter_description{VERDICT_ANSWERED_NODATA, answered, "answered_nodata",
                        "the name exists, the type does not: answered with the zone's SOA"},
    counter_description{VERDICT_ANSWERED_TRUNCATED, answered, "answered_truncated",
                        "the answer exceeds what the client allows: TC=1, it asks again by TCP"},
    counter_description{VERDICT_REFERRED, referred, "referred", "answered with a referral"},
    counter_description{VERDICT_REFERRED_TRUNCATED, referred, "referred_truncated",
                        "the referral exceeds what the client allows: TC=1"},
    counter_description{VERDICT_PASS_NOT_IP, passed, "pass_not_ip", "neither IPv4 nor IPv6: ARP, a third VLAN tag"},
    counter_description{VERDICT_PASS_NOT_UDP, passed, "pass_not_udp", "another transport: TCP, ICMP"},
    counter_description{VERDICT_PASS_NOT_LISTENED, passed, "pass_not_listened",
                        "for an address or port that is none of ours"},
    counter_description{VERDICT_PASS_SHORT, passed, "pass_short", "a header is cut off by the end of the frame"},
    counter_description{VERDICT_PASS_IP_HEADER, passed, "pass_ip_header", "IP version or header length makes no sense"},
    counter_description{VERDICT_PASS_IP_OPTIONS, passed, "pass_ip_options", "IPv4 options or IPv6 extension headers"},
    counter_description{VERDICT_PASS_FRAGMENT, passed, "pass_fragment", "a fragment: the stack reassembles"},
    counter_description{VERDICT_PASS_IP_LENGTH, passed, "pass_ip_length",
                        "the IP length disagrees with the frame or with UDP"},
    counter_description{VERDICT_PASS_IP_CHECKSUM, passed, "pass_ip_checksum", "wrong IPv4 header checksum"},
    counter_description{VERDICT_PASS_UDP_LENGTH, passed, "pass_udp_length", "the UDP length makes no sense"},
    counter_description{VERDICT_PASS_UDP_CHECKSUM, passed, "pass_udp_checksum",
                        "wrong UDP checksum, or one that the sender left to its network card"},
    counter_description{VERDICT_PASS_UDP6_NO_CHECKSUM, passed, "pass_udp6_no_checksum",
                        "UDP over IPv6 without a checksum (RFC 8200 8.1)"},
    counter_description{VERDICT_PASS_SOURCE_ADDRESS, passed, "pass_source_address",
                        "the source is ours, loopback, multicast, broadcast or unspecified"},
    counter_description{VERDICT_PASS_SOURCE_PORT, passed, "pass_source_port",
                        "the source port is 0, or the port that we listen on"},
    counter_description{VERDICT_PASS_LEASE, passed, "pass_lease", "the agent has not renewed its lease"},
    counter_description{VERDICT_PASS_LONG_QUERY, passed, "pass_long_query", "a query of unusual length"},
    counter_description{VERDICT_PASS_OPCODE, passed, "pass_opcode", "an opcode other than QUERY"},
    counter_description{VERDICT_PASS_COUNTS, passed, "pass_counts", "QDCOUNT is not 1, or there is more than an OPT"},
    counter_description{VERDICT_PASS_QNAME, passed, "pass_qname", "the QNAME is cut off, too long or compressed"},
    counter_description{VERDICT_PASS_QCLASS, passed, "pass_qclass", "a class other than IN"},
    counter_description{VERDICT_PASS_QTYPE, passed, "pass_qtype", "ANY, a transfer or another meta type"},
    counter_description{VERDICT_PASS_EDNS, passed, "pass_edns", "malformed EDNS, or octets after the message"},
    counter_description{VERDICT_PASS_EDNS_VERSION, passed, "pass_edns_version", "an EDNS version other than 0"},
    counter_description{VERDICT_PASS_NSID, passed, "pass_nsid", "the client asks which node this is (RFC 5001)"},
    counter_description{VERDICT_PASS_ECS, passed, "pass_ecs", "malformed client subnet, or of an unknown family"},
    counter_description{VERDICT_PASS_NAME, passed, "pass_name", "not an installed name"},
    counter_description{VERDICT_PASS_NO_IMAGE, passed, "pass_no_image",
                        "an installed name, but the agent answers this type"},
    counter_description{VERDICT_PASS_UNSETTLED, passed, "pass_unsettled",
                        "the tables changed while they were read; the agent answers"},
    counter_description{VERDICT_PASS_NO_ROOM, passed, "pass_no_room",
                        "the frame can grow neither at its end nor its head"},
    counter_description{VERDICT_PASS_NO_ROUTE, passed, "pass_no_route",
                        "the reply would leave by another interface or to an unknown neighbour"},
    counter_description{VERDICT_PASS_CLIENT_SUBNET, passed, "pass_client_subnet",
                        "answered by site, and the client subnet may tell more than the address"},
    counter_description{VERDICT_PASS_DIRECT, passed, "pass_direct",
                        "answered by site, but asked on an address where the agent is the zone's own server"},
    counter_description{VERDICT_DROP_RESPONSE, dropped, "drop_response", "a response (QR=1) sent to our port"},
    counter_description{VERDICT_DROP_UNSETTLED, dropped, "drop_unsettled",
                        "the answer changed while it was copied; the client asks again"},
    counter_description{COUNTER_GREW_TAIL, side, "grew_tail", "the frame grew at its end"},
    counter_description{COUNTER_GREW_HEAD, side, "grew_head", "the frame grew at its head, the headers were moved"},
    counter_description{COUNTER_SHRANK, side, "shrank", "the reply was shorter than the query"},
    counter_description{COUNTER_EDNS, side, "edns", "queries with EDNS that were answered"},
    counter_description{COUNTER_ECS, side, "ecs", "queries with a client subnet that were answered"},
    counter_description{COUNTER_FIB, side, "fib", "replies for which the routing table was asked"},
    counter_description{COUNTER_EVENTS_LOST, side, "events_lost", "sampled queries that found the ring buffer full"},
    counter_description{COUNTER_STALE, side, "stale", "answered past the lease, as edge.stale says"},
};

}  // namespace

std::string_view group_label(counter_group group) noexcept {
  switch (group) {
    case answered: return "answered";
    case referred: return "referred";
    case passed: return "passed";
    case dropped: return "dropped";
    case side: break;
  }
  return "side";
}

std::span<const counter_description> counter_descriptions() noexcept { return descriptions; }

const counter_description* describe_counter(std::uint32_t number) noexcept {
  const auto found = std::find_if(descriptions.begin(), descriptions.end(),
                                  [number](const counter_description& d) { return d.number == number; });
  return found == descriptions.end() ? nullptr : &*found;
}

std::string_view verdict_label(std::uint32_t verdict) noexcept {
  const auto* const found = verdict < VERDICT_COUNT ? describe_counter(verdict) : nullptr;
  return found == nullptr ? "unknown" : found->label;
}

std::uint64_t counter_values::total(counter_group group) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& description : descriptions) {
    if (description.group == group) sum += packets[description.number];
  }
  return sum;
}

counter_values counter_values::since(const counter_values& earlier) const noexcept {
  counter_values difference;
  std::transform(packets.begin(), packets.end(), earlier.packets.begin(), difference.packets.begin(), std::minus<>());
  return difference;
}

result<counter_values> read_counters(const object& tables) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return system_error(cpus, "number of CPUs");
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(cpus));
  counter_values values;
  for (std::uint32_t number = 0; number < COUNTER_COUNT; ++number) {
    if (bpf_map_lookup_elem(tables.fd(map_id::counters), &number, per_cpu.data()) != 0) {
      return system_error(errno, "map counters: read");
    }
    values.packets[number] = std::accumulate(per_cpu.begin(), per_cpu.end(), std::uint64_t{0});
  }
  return values;
}

}  // namespace nearside::dataplane
