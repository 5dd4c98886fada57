/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Ethernet, VLAN tags, IP and UDP, up to where the DNS message begins. Each function checks every bound that it needs
 * and returns VERDICT_UNDECIDED, or why the packet is not for the program.
 */
#ifndef NEARSIDE_PACKET_H
#define NEARSIDE_PACKET_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "checksum.h"
#include "maps.h"

#ifndef IPPROTO_UDP
#define IPPROTO_UDP 17
#endif
#define NEXT_HEADER_FRAGMENT 44
#define IPV4_RESERVED_OR_FRAGMENT 0xbfff /* all of the field but DF */

#define DNS_HEADER_OCTETS 12

struct vlan_tag {
	__be16 tci;
	__be16 inner_type;
};

static __always_inline int is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* IPv6 extension headers: RFC 8200 4.1, and AH, ESP, Mobility, HIP, Shim6. */
static __always_inline int is_extension_header(__u8 next)
{
	return next == 0 || next == 43 || next == 50 || next == 51 || next == 60 || next == 135 || next == 139 ||
	       next == 140;
}

static __always_inline int is_listened4(const struct listen *ours, __be32 address)
{
	__u32 i;

	for (i = 0; i < MAX_LISTEN && i < ours->count4; i++)
		if (ours->address4[i] == address)
			return 1;
	return 0;
}

static __always_inline int is_listened6(const struct listen *ours, const struct in6_addr *address)
{
	const __u32 *theirs = address->in6_u.u6_addr32;
	__u32 i;

	for (i = 0; i < MAX_LISTEN && i < ours->count6; i++) {
		const __u32 *own = (const __u32 *)ours->address6[i];

		if (own[3] == theirs[3] && own[2] == theirs[2] && own[1] == theirs[1] && own[0] == theirs[0])
			return 1;
	}
	return 0;
}

/* Is it one of our addresses on which the agent is the server of the zone cuts itself? */
static __always_inline int is_direct4(const struct listen *ours, __be32 address)
{
	__u32 i, found = 0;

	for (i = 0; i < MAX_LISTEN; i++)
		found |= ours->address4[i] == address && ours->direct4 >> i & 1;
	return found;
}

static __always_inline int is_direct6(const struct listen *ours, const struct in6_addr *address)
{
	const __u32 *theirs = address->in6_u.u6_addr32;
	__u32 i, found = 0;

	for (i = 0; i < MAX_LISTEN; i++) {
		const __u32 *own = (const __u32 *)ours->address6[i];

		found |= own[3] == theirs[3] && own[2] == theirs[2] && own[1] == theirs[1] && own[0] == theirs[0] &&
			 ours->direct6 >> i & 1;
	}
	return found;
}

/* A reply to these would go astray, to many, or to ourselves. */
static __always_inline int is_bad_source4(const struct listen *ours, __be32 source)
{
	__u32 address = bpf_ntohl(source);

	return address >> 24 == 0 || address >> 24 == 127 || address >= 0xe0000000 || is_listened4(ours, source);
}

static __always_inline int is_bad_source6(const struct listen *ours, const struct in6_addr *source)
{
	const __u32 *a = source->in6_u.u6_addr32;

	if (source->in6_u.u6_addr8[0] == 0xff)
		return 1;
	if ((a[0] | a[1] | a[2]) == 0 && bpf_ntohl(a[3]) <= 1)
		return 1;
	return is_listened6(ours, source);
}

static __always_inline enum verdict parse_udp(void *at, void *data_end, __u32 payload, const struct listen *ours,
					      struct query *q)
{
	struct udphdr *udp = at;
	__u32 length;

	if ((void *)(udp + 1) > data_end)
		return VERDICT_PASS_SHORT;
	if (udp->dest != ours->port)
		return VERDICT_PASS_NOT_LISTENED;
	length = bpf_ntohs(udp->len);
	if (length != payload || length < sizeof(*udp))
		return VERDICT_PASS_UDP_LENGTH;
	if (length < sizeof(*udp) + DNS_HEADER_OCTETS)
		return VERDICT_PASS_SHORT;
	if (length > sizeof(*udp) + MAX_QUERY)
		return VERDICT_PASS_LONG_QUERY;
	/* Between two servers' ports a reply could be taken for a query, and answered. */
	if (udp->source == 0 || udp->source == ours->port)
		return VERDICT_PASS_SOURCE_PORT;
	q->checksum_absent = udp->check == 0;
	if (q->checksum_absent && q->is_ipv6)
		return VERDICT_PASS_UDP6_NO_CHECKSUM;
	q->header_sum = q->address_sum + bpf_htons(IPPROTO_UDP) + udp->len /* the pseudo header */
			+ udp->source + udp->dest + udp->len + udp->check;
	return VERDICT_UNDECIDED;
}

static __always_inline enum verdict parse_ipv4(void *data, void *data_end, __u32 offset, const struct listen *ours,
					       struct query *q)
{
	struct iphdr *ip = data + offset;
	__u64 sum = 0;
	__u32 total, *word = (__u32 *)ip;
	__u32 i;

	if ((void *)(ip + 1) > data_end)
		return VERDICT_PASS_SHORT;
	if (ip->version != 4 || ip->ihl < 5)
		return VERDICT_PASS_IP_HEADER;
	if (ip->protocol != IPPROTO_UDP)
		return VERDICT_PASS_NOT_UDP;
	if (!is_listened4(ours, ip->daddr))
		return VERDICT_PASS_NOT_LISTENED;
	if (ip->ihl != 5)
		return VERDICT_PASS_IP_OPTIONS;
	if (ip->frag_off & bpf_htons(IPV4_RESERVED_OR_FRAGMENT))
		return VERDICT_PASS_FRAGMENT;
	total = bpf_ntohs(ip->tot_len);
	if (total < sizeof(*ip) || (__u64)(data_end - data) < offset + total)
		return VERDICT_PASS_IP_LENGTH;
	for (i = 0; i < 5; i++)
		sum += word[i];
	if (sum_fold(sum) != 0xffff)
		return VERDICT_PASS_IP_CHECKSUM;
	if (is_bad_source4(ours, ip->saddr))
		return VERDICT_PASS_SOURCE_ADDRESS;
	q->is_ipv6 = 0;
	q->source = bpf_ntohl(ip->saddr);
	q->address_sum = sum_fold((__u64)ip->saddr + ip->daddr);
	q->dns = offset + sizeof(*ip) + sizeof(struct udphdr);
	q->end = offset + total;
	return parse_udp(ip + 1, data_end, total - sizeof(*ip), ours, q);
}

static __always_inline enum verdict parse_ipv6(void *data, void *data_end, __u32 offset, const struct listen *ours,
					       struct query *q)
{
	struct ipv6hdr *ip = data + offset;
	__u64 sum = 0;
	__u32 payload, *word;
	__u32 i;

	if ((void *)(ip + 1) > data_end)
		return VERDICT_PASS_SHORT;
	if (ip->version != 6)
		return VERDICT_PASS_IP_HEADER;
	if (ip->nexthdr != IPPROTO_UDP && ip->nexthdr != NEXT_HEADER_FRAGMENT && !is_extension_header(ip->nexthdr))
		return VERDICT_PASS_NOT_UDP;
	if (!is_listened6(ours, &ip->daddr))
		return VERDICT_PASS_NOT_LISTENED;
	if (ip->nexthdr == NEXT_HEADER_FRAGMENT)
		return VERDICT_PASS_FRAGMENT;
	if (ip->nexthdr != IPPROTO_UDP)
		return VERDICT_PASS_IP_OPTIONS;
	payload = bpf_ntohs(ip->payload_len);
	if ((__u64)(data_end - data) < offset + sizeof(*ip) + payload)
		return VERDICT_PASS_IP_LENGTH;
	if (is_bad_source6(ours, &ip->saddr))
		return VERDICT_PASS_SOURCE_ADDRESS;
	word = ip->saddr.in6_u.u6_addr32; /* source and destination stand side by side */
	for (i = 0; i < 8; i++)
		sum += word[i];
	q->is_ipv6 = 1;
	q->source = (__u64)bpf_ntohl(word[0]) << 32 | bpf_ntohl(word[1]);
	q->address_sum = sum_fold(sum);
	q->dns = offset + sizeof(*ip) + sizeof(struct udphdr);
	q->end = offset + sizeof(*ip) + payload;
	return parse_udp(ip + 1, data_end, payload, ours, q);
}

/* Fills the packet.h part of `q`. */
static __always_inline enum verdict parse_frame(struct xdp_md *ctx, const struct listen *ours, struct query *q)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	__u32 offset = sizeof(*ethernet);
	enum verdict verdict;
	struct vlan_tag *tag;
	__be16 type;
	__u32 i;

	if ((void *)(ethernet + 1) > data_end)
		return VERDICT_PASS_SHORT;
	type = ethernet->h_proto;
	for (i = 0; i < 2 && is_vlan(type); i++) {
		tag = data + offset;
		if ((void *)(tag + 1) > data_end)
			return VERDICT_PASS_SHORT;
		type = tag->inner_type;
		offset += sizeof(*tag);
	}
	q->ip = offset;
	if (type == bpf_htons(ETH_P_IP))
		verdict = parse_ipv4(data, data_end, offset, ours, q);
	else if (type == bpf_htons(ETH_P_IPV6))
		verdict = parse_ipv6(data, data_end, offset, ours, q);
	else
		return VERDICT_PASS_NOT_IP;
	/* RFC 1122 3.3.6: no answer to what came to many; turned round, the reply's sender would be a group address. */
	if (verdict == VERDICT_UNDECIDED && ethernet->h_dest[0] & 1)
		return VERDICT_PASS_NOT_LISTENED;
	return verdict;
}

#endif
