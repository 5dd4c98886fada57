/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Writes the reply: the query's own frame, turned round, its question left as it is, and behind it the image and our OPT.
 * Checksums are put together from the parts' sums; nothing is read twice.
 */
#ifndef NEARSIDE_WRITE_H
#define NEARSIDE_WRITE_H

#include "reply.h"
#include "resize.h"
#include "route.h"

#define IP_TTL 64
#define IPV4_DF 0x4000
/* Version 4 and five words of header; no type of service. */
#define IPV4_VERSION_IHL_TOS 0x4500

/* Copies `length` octets, at least eight, by words; the last word overlaps the one before it. */
static __always_inline int copy_octets(void *to, void *data_end, const __u8 *from, __u64 length, __u32 words)
{
	__u32 i;

	for (i = 0; i < words; i++) {
		__u64 at = i * 8;
		__u64 *place = to + at;

		if (at + 8 > length) {
			if (at >= length)
				break;
			at = OPAQUE(length - 8);
			if (at > LARGE_IMAGE_OCTETS - 8)
				return -1;
			place = to + at;
			if ((void *)(place + 1) > data_end)
				return -1;
			*place = *(const __u64 *)(from + at);
			break;
		}
		if ((void *)(place + 1) > data_end)
			return -1;
		*place = *(const __u64 *)(from + at);
	}
	return 0;
}

#define CHUNK_OCTETS 64

/* The same by chunks, of at least one: a large image's bounds are checked once in eight words. The last chunk overlaps. */
static __always_inline int copy_chunks(void *to, void *data_end, const __u8 *from, __u64 length)
{
	__u32 i, k;
	__u64 at;

	for (i = 0; i < LARGE_IMAGE_OCTETS / CHUNK_OCTETS; i++) {
		__u64 *place = to + i * CHUNK_OCTETS;

		if ((i + 1) * CHUNK_OCTETS > length)
			break;
		if ((void *)(place + CHUNK_OCTETS / 8) > data_end)
			return -1;
		for (k = 0; k < CHUNK_OCTETS / 8; k++)
			place[k] = ((const __u64 *)(from + i * CHUNK_OCTETS))[k];
	}
	at = OPAQUE(length - CHUNK_OCTETS);
	if (at > LARGE_IMAGE_OCTETS - CHUNK_OCTETS)
		return -1;
	to += at;
	from += at;
	if (to + CHUNK_OCTETS > data_end)
		return -1;
	for (k = 0; k < CHUNK_OCTETS / 8; k++)
		((__u64 *)to)[k] = ((const __u64 *)from)[k];
	return 0;
}

/* The first `octets` of the large image `slot`, to offset `to` of the frame. Returns the image's generation afterwards, 0 if it did not fit. */
VERIFIED_ALONE int copy_large_image(struct xdp_md *ctx, __u32 slot, __u32 to, __u32 octets)
{
	__u64 offset = OPAQUE(to), length = OPAQUE(octets);
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct image_large *image = bpf_map_lookup_elem(&slots_large, &slot);

	if (!image || offset > MAX_OPT_OFFSET || length < 8 || length > LARGE_IMAGE_OCTETS)
		return 0;
	if (length >= CHUNK_OCTETS) {
		if (copy_chunks(data + offset, data_end, image->octets, length))
			return 0;
	} else if (copy_octets(data + offset, data_end, image->octets, length, CHUNK_OCTETS / 8)) {
		return 0;
	}
	COMPILER_BARRIER();
	return FORGET(image->generation);
}

static __always_inline enum verdict write_image(struct xdp_md *ctx, const struct query *q,
						const struct image_small *image, const struct reply *r)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(r->question_end), body = OPAQUE(r->body);
	__u32 generation;

	if (r->body == 0)
		return VERDICT_UNDECIDED;
	if (q->ref.flags & ANSWER_LARGE) {
		generation = copy_large_image(ctx, q->slot, offset, r->body);
	} else {
		__u64 place = OPAQUE(
			offset); /* a copy that stays in its register: old kernels forget bounds of the spilled */

		if (place > MAX_OPT_OFFSET || body > SMALL_IMAGE_OCTETS ||
		    copy_octets(data + place, data_end, image->octets, body, SMALL_IMAGE_OCTETS / 8))
			return VERDICT_DROP_UNSETTLED;
		COMPILER_BARRIER();
		generation = FORGET(image->generation);
	}
	/* Was it taken back and written anew while it was copied? The frame is spoilt, so it is not passed up. */
	if (generation != r->generation)
		return VERDICT_DROP_UNSETTLED;
	if (r->zone_pointer != NO_ZONE_POINTER) {
		__be16 *pointer;

		data = (void *)(long)ctx->data;
		data_end = (void *)(long)ctx->data_end;
		offset = OPAQUE(offset + r->zone_pointer);
		if (offset > MAX_DNS_OFFSET + MAX_UDP_REPLY)
			return VERDICT_DROP_UNSETTLED;
		pointer = data + offset;
		if ((void *)(pointer + 1) > data_end)
			return VERDICT_DROP_UNSETTLED;
		*pointer = r->zone_pointer_value;
	}
	return VERDICT_UNDECIDED;
}

static __always_inline enum verdict write_opt(struct xdp_md *ctx, const struct reply *r)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(r->question_end + r->body);
	__u32 i;
	const __u8 *octets = (const __u8 *)r->opt;
	__u8 *to;

	if (r->opt_octets == 0)
		return VERDICT_UNDECIDED;
	if (offset > MAX_DNS_OFFSET + MAX_UDP_REPLY)
		return VERDICT_DROP_UNSETTLED;
	to = data + offset;
	if ((void *)(to + OPT_OCTETS) > data_end)
		return VERDICT_DROP_UNSETTLED;
	*(__u64 *)to = r->opt[0];
	*(__u16 *)(to + 8) = (__u16)r->opt[1];
	to[10] = octets[10];
	if (r->opt_octets == OPT_OCTETS)
		return VERDICT_UNDECIDED;
	for (i = OPT_OCTETS; i < OPT_OCTETS + ECS_OPTION_OCTETS; i++) {
		if (i >= r->opt_octets)
			break;
		if ((void *)(to + i + 1) > data_end)
			return VERDICT_DROP_UNSETTLED;
		to[i] = octets[i];
	}
	return VERDICT_UNDECIDED;
}

/* The sum of the DNS message as it is now, of the pseudo header and of the UDP header with a checksum of zero. */
static __always_inline __u16 udp_checksum(const struct query *q, const struct reply *r, __be32 ports, __be16 length)
{
	const __u16 *header = (const __u16 *)&r->header;
	__u64 sum = (__u64)q->address_sum + bpf_htons(IPPROTO_UDP) + length + length + ports;
	__u32 image = r->checksum;
	__u16 checksum;

	sum += (__u32)header[0] + header[1] + header[2] + header[3] + header[4] + header[5];
	sum = sum_add(sum, q->question_sum);
	if (r->zone_pointer != NO_ZONE_POINTER)
		image += sum_at(r->zone_pointer_value, r->zone_pointer);
	sum = sum_add(sum, sum_at(image, q->name_octets));
	sum = sum_add(sum, sum_at(r->opt_sum, q->name_octets + r->body));
	checksum = ~sum_fold(sum);
	return checksum ? checksum : 0xffff; /* RFC 768: zero means that there is none */
}

/* Ethernet to DNS header: addresses and ports turned round, lengths and checksums made new. */
static __always_inline enum verdict write_headers(struct xdp_md *ctx, const struct query *q, const struct reply *r)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	__u64 dns = OPAQUE(r->dns), ip_offset = OPAQUE(FORGET(q->ip));
	__u16 udp_octets = r->question_end - dns + r->body + r->opt_octets + sizeof(struct udphdr);
	struct dns_header *header;
	struct udphdr *udp;
	__be16 port;

	if ((void *)(ethernet + 1) > data_end || dns < sizeof(*udp) || dns > MAX_DNS_OFFSET ||
	    ip_offset > MAX_DNS_OFFSET)
		return VERDICT_DROP_UNSETTLED;
	if (q->route_is_known) {
		__builtin_memcpy(ethernet->h_source, q->source_mac, ETH_ALEN);
		__builtin_memcpy(ethernet->h_dest, q->destination_mac, ETH_ALEN);
	} else {
		/* Both addresses are twelve octets in a row: two loads, two stores. */
		__u64 first = *(__u64 *)data;
		__u64 last = *(__u32 *)(data + 8);
		__u64 destination = first & 0xffffffffffffull;

		*(__u64 *)data = first >> 48 | last << 16 | destination << 48;
		*(__u32 *)(data + 8) = destination >> 16;
	}

	if (q->is_ipv6) {
		struct ipv6hdr *ip = data + ip_offset;
		struct in6_addr source;

		if ((void *)(ip + 1) > data_end)
			return VERDICT_DROP_UNSETTLED;
		*(__be32 *)ip = bpf_htonl(0x60000000); /* no traffic class, no flow label */
		ip->payload_len = bpf_htons(udp_octets);
		ip->hop_limit = IP_TTL;
		source = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = source;
	} else {
		struct iphdr *ip = data + ip_offset;
		__be32 source;
		__u64 sum;

		if ((void *)(ip + 1) > data_end)
			return VERDICT_DROP_UNSETTLED;
		*(__be16 *)ip = bpf_htons(IPV4_VERSION_IHL_TOS);
		ip->tot_len = bpf_htons(udp_octets + sizeof(*ip));
		ip->id = 0; /* RFC 6864 4.1: an atomic datagram needs none */
		ip->frag_off = bpf_htons(IPV4_DF);
		ip->ttl = IP_TTL;
		source = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = source;
		sum = (__u64)q->address_sum + bpf_htons(IPV4_VERSION_IHL_TOS) + ip->tot_len + bpf_htons(IPV4_DF) +
		      bpf_htons(IP_TTL << 8 | IPPROTO_UDP);
		ip->check = ~sum_fold(sum);
	}

	udp = data + OPAQUE(dns - sizeof(*udp));
	header = (struct dns_header *)(udp + 1);
	if ((void *)(header + 1) > data_end)
		return VERDICT_DROP_UNSETTLED;
	*header = r->header;
	port = udp->source;
	udp->source = udp->dest;
	udp->dest = port;
	udp->len = bpf_htons(udp_octets);
	udp->check = udp_checksum(q, r, (__u32)udp->source + udp->dest, udp->len);
	return VERDICT_UNDECIDED;
}

/* The image of the query's slot; a large one begins alike. */
static __always_inline struct image_small *find_image(const struct query *q)
{
	if (q->ref.flags & ANSWER_LARGE)
		return bpf_map_lookup_elem(&slots_large, &q->slot);
	return bpf_map_lookup_elem(&slots_small, &q->slot);
}

/* Turns the query into its reply. What is passed is passed before the first octet is changed. */
static __always_inline enum verdict write_reply(struct xdp_md *ctx, const struct config *settings, struct query *q)
{
	struct image_small *image = find_image(q);
	enum verdict reply_verdict, verdict;
	struct reply r;

	if (!image)
		return VERDICT_PASS_UNSETTLED;
	/* The alias method: the draw belongs to the image's other alternative, once and no further. */
	if (q->rest > image->share) {
		__u32 other = image->other;

		if (other >= q->ref.alternatives)
			return VERDICT_PASS_UNSETTLED;
		q->slot = q->ref.slot + other;
		image = find_image(q);
		if (!image)
			return VERDICT_PASS_UNSETTLED;
	}
	reply_verdict = prepare_reply(image, q, &r);
	if (reply_verdict == VERDICT_PASS_UNSETTLED)
		return reply_verdict;
	verdict = find_route(ctx, settings, q);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = resize(ctx, r.question_end + r.body + r.opt_octets, r.question_end);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = write_image(ctx, q, image, &r);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = write_opt(ctx, &r);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = write_headers(ctx, q, &r);
	return verdict == VERDICT_UNDECIDED ? reply_verdict : verdict;
}

#endif
