/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the reply will be: counts, flags, lengths and our OPT, decided from the image's header before the first octet of
 * the frame is changed. write.h then writes it.
 */
#ifndef NEARSIDE_REPLY_H
#define NEARSIDE_REPLY_H

#include "lookup.h"

#define COMPRESSION_POINTER 0xc000

#define OPT_OCTETS 11
#define OPT_WORDS 5 /* with the longest ECS: 11 + 24 octets */

/* What the reply will be; decided before anything is written. */
struct reply {
	__u64 dns;          /* offset of the DNS header in the frame */
	__u64 question_end; /* offset of the first octet behind the question */
	__u64 body;         /* octets of the image */
	__u64 opt_octets;
	__u64 opt[OPT_WORDS];
	__u64 opt_sum;
	struct dns_header header;
	__u32 generation;
	__u16 checksum; /* of the image */
	__u16 zone_pointer;
	__be16 zone_pointer_value;
};

/* RFC 6891 6.2.3 to 6.2.5: what the client takes, and what we are ready to send. */
static __always_inline __u32 reply_limit(const struct query *q)
{
	if (!q->has_opt || q->udp_size < MIN_UDP_REPLY)
		return MIN_UDP_REPLY;
	return q->udp_size < MAX_UDP_REPLY ? q->udp_size : MAX_UDP_REPLY;
}

/* Our OPT record as words, the ECS option behind its eleven octets. */
static __always_inline void prepare_opt(const struct query *q, struct reply *r)
{
	__u32 ecs = q->ecs_octets;
	__u32 i;

	for (i = 0; i < OPT_WORDS; i++)
		r->opt[i] = 0;
	r->opt_octets = 0;
	r->opt_sum = 0;
	if (!q->has_opt)
		return;
	/* Octets 2 to 4: the type's second octet, the size; 7: DO; 10: the second octet of RDLENGTH. */
	r->opt[0] = (__u64)DNS_TYPE_OPT << 16 | (__u64)(MAX_UDP_REPLY >> 8) << 24 |
		    (__u64)(MAX_UDP_REPLY & 0xff) << 32 | (__u64)q->dnssec_ok << 63;
	r->opt[1] = (__u64)ecs << 16;
	r->opt_octets = OPT_OCTETS + ecs;
	r->opt_sum = sum_add(r->opt[0], r->opt[1]);
	if (!ecs)
		return;
	/* Words are little-endian: the option's first octet stands above the three that end the record. The scope, its
	 * eighth octet, came as zero. */
	{
		__u64 first = q->ecs[0] | (__u64)q->ecs_scope << 56;

		r->opt[1] |= first << 24;
		r->opt[2] = first >> 40 | q->ecs[1] << 24;
		r->opt[3] = q->ecs[1] >> 40 | q->ecs[2] << 24;
		r->opt[4] = q->ecs[2] >> 40;
	}
	r->opt_sum = sum_add(r->opt[0], r->opt[1]);
	r->opt_sum = sum_add(r->opt_sum, r->opt[2]);
	r->opt_sum = sum_add(r->opt_sum, r->opt[3]);
	r->opt_sum = sum_add(r->opt_sum, r->opt[4]);
}

/* Decides counts, flags and lengths from the image's header. Returns the verdict that the reply will count under. */
static __always_inline enum verdict prepare_reply(const struct image_small *image, const struct query *q,
						  struct reply *r)
{
	__u16 flags = DNS_QR | (bpf_ntohs(q->flags) & (DNS_RD | DNS_CD));
	enum verdict verdict = image->verdict;

	r->dns = FORGET(q->dns);
	r->question_end = r->dns + DNS_HEADER_OCTETS + FORGET(q->name_octets) + QUESTION_TAIL;
	r->generation = FORGET(image->generation);
	r->body = image->length;
	r->checksum = image->checksum;
	r->zone_pointer = image->zone_pointer;
	r->zone_pointer_value = bpf_htons(COMPRESSION_POINTER | (DNS_HEADER_OCTETS + q->name_octets - q->zone_octets));
	r->header.id = q->id;
	r->header.qdcount = bpf_htons(1);
	r->header.ancount = image->ancount;
	r->header.nscount = image->nscount;
	r->header.arcount = image->arcount;
	if (image->flags & IMAGE_AUTHORITATIVE)
		flags |= DNS_AA;
	if (r->body > LARGE_IMAGE_OCTETS || (r->body < 8 && !(image->flags & IMAGE_TRUNCATED)) ||
	    (r->generation & 0xffff) != q->ref.generation)
		return VERDICT_PASS_UNSETTLED;

	prepare_opt(q, r);
	if (image->flags & IMAGE_TRUNCATED || r->question_end - r->dns + r->body + r->opt_octets > reply_limit(q)) {
		verdict = verdict == VERDICT_REFERRED ? VERDICT_REFERRED_TRUNCATED : VERDICT_ANSWERED_TRUNCATED;
		flags |= DNS_TC;
		r->body = 0;
		r->checksum = 0;
		r->zone_pointer = NO_ZONE_POINTER;
		r->header.ancount = 0;
		r->header.nscount = 0;
		r->header.arcount = 0;
	}
	if (q->has_opt)
		r->header.arcount = bpf_htons(bpf_ntohs(r->header.arcount) + 1);
	r->header.flags = bpf_htons(flags);
	return verdict;
}

#endif
