/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The OPT record of a query (RFC 6891 6.1) and its Client Subnet option (RFC 7871 6). */
#ifndef NEARSIDE_EDNS_H
#define NEARSIDE_EDNS_H

#include "checksum.h"
#include "dns_message.h"
#include "maps.h"

/* Packed: it stands wherever the question ends. */
struct opt_record {
	__u8 root;
	__be16 type;
	__be16 udp_size;
	__u8 extended_rcode;
	__u8 version;
	__be16 flags;
	__be16 rdlength;
} __attribute__((packed));
CHECK_SIZE(struct opt_record, 11);

struct edns_option {
	__be16 code;
	__be16 length;
} __attribute__((packed));

struct ecs_option {
	struct edns_option head;
	__be16 family;
	__u8 source;
	__u8 scope;
} __attribute__((packed));

#define EDNS_DO 0x8000
#define EDNS_NSID 3
#define EDNS_ECS 8

#define ECS_FAMILY_IPV4 1
#define ECS_FAMILY_IPV6 2

/* More options than any resolver sends; a query with more goes to userland. */
#define MAX_OPTIONS 8

/* Sums the octets from offset `from` to offset `to` of the frame into the query's opt_sum. Returns 0, or -1. */
VERIFIED_ALONE int sum_opt(struct xdp_md *ctx, __u32 from, __u32 to)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(from), left = OPAQUE((__u64)to - from), sum = 0, at;
	struct query *q = the_query();
	__u32 i;

	if (!q || offset < 8 || offset > MAX_OPT_OFFSET || left > MAX_QUERY)
		return -1;
	for (i = 0; i < MAX_QUERY / 8; i++) {
		at = i * 8;
		if (at + 8 <= left) {
			__u64 *whole = data + offset + at;

			if ((void *)(whole + 1) > data_end)
				return -1;
			sum = sum_add(sum, *whole);
		} else if (at < left) {
			__u64 *last = data + OPAQUE(offset + left - 8);

			if ((void *)(last + 1) > data_end)
				return -1;
			sum = sum_add(sum, *last >> (8 * (at + 8 - left)));
			break;
		} else {
			break;
		}
	}
	q->opt_sum = sum;
	return 0;
}

/* Keeps the option that begins at `option_offset` for the echo, if RFC 7871 6 and 7.1.2 allow it. Returns a verdict. */
VERIFIED_ALONE int parse_ecs(struct xdp_md *ctx, __u32 option_offset, __u32 length)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(option_offset);
	struct query *q = the_query();
	__u32 i, address_octets, source, last = 0;
	struct ecs_option *ecs;
	__u8 *address, *copy;

	if (!q || offset > MAX_DNS_OFFSET + MAX_QUERY)
		return VERDICT_PASS_ECS;
	ecs = data + offset;
	address = (__u8 *)(ecs + 1);
	if (q->ecs_octets || length < 4 || (void *)(ecs + 1) > data_end)
		return VERDICT_PASS_ECS;
	source = ecs->source;
	if (ecs->scope != 0)
		return VERDICT_PASS_ECS;
	if (!(ecs->family == bpf_htons(ECS_FAMILY_IPV4) && source <= 32) &&
	    !(ecs->family == bpf_htons(ECS_FAMILY_IPV6) && source <= 128))
		return VERDICT_PASS_ECS;
	address_octets = (source + 7) / 8;
	if (length != 4 + address_octets)
		return VERDICT_PASS_ECS;

	q->ecs[0] = *(__u64 *)ecs;
	q->ecs[1] = 0;
	q->ecs[2] = 0;
	copy = (__u8 *)&q->ecs[1];
	for (i = 0; i < 16; i++) {
		if (i >= address_octets)
			break;
		if ((void *)(address + i + 1) > data_end)
			return VERDICT_PASS_ECS;
		last = address[i];
		copy[i] = last;
	}
	/* Bits beyond SOURCE PREFIX-LENGTH must be zero. */
	if (source & 7 && last & (0xff >> (source & 7)))
		return VERDICT_PASS_ECS;
	q->ecs_octets = sizeof(*ecs) + address_octets;
	return VERDICT_UNDECIDED;
}

/* Reads the option at `option_offset`. Returns the offset of what follows it, or a verdict below zero. */
VERIFIED_ALONE int parse_option(struct xdp_md *ctx, __u32 option_offset)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(option_offset);
	struct query *q = the_query();
	struct edns_option *option;
	__u32 length, next;
	int verdict;

	if (!q || offset > MAX_DNS_OFFSET + MAX_QUERY)
		return -VERDICT_PASS_EDNS;
	option = data + offset;
	if ((void *)(option + 1) > data_end)
		return -VERDICT_PASS_EDNS;
	length = bpf_ntohs(option->length);
	next = offset + sizeof(*option) + length;
	if (next > q->end)
		return -VERDICT_PASS_EDNS;
	if (option->code == bpf_htons(EDNS_NSID))
		return -VERDICT_PASS_NSID;
	if (option->code == bpf_htons(EDNS_ECS)) {
		verdict = parse_ecs(ctx, offset, length);
		if (verdict != VERDICT_UNDECIDED)
			return -verdict;
	}
	return next;
}

/* Reads what follows the question at `opt_offset`: one OPT record and nothing else. Returns a verdict. */
VERIFIED_ALONE int parse_opt(struct xdp_md *ctx, __u32 opt_offset)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct query *q = the_query();
	__u64 offset = OPAQUE(opt_offset);
	struct opt_record *opt;
	int i, at, end;

	if (!q || offset > MAX_OPT_OFFSET)
		return VERDICT_PASS_EDNS;
	end = q->end;
	opt = data + offset;
	if (offset + sizeof(*opt) > (__u64)end || (void *)(opt + 1) > data_end)
		return VERDICT_PASS_EDNS;
	if (opt->root != 0 || opt->type != bpf_htons(DNS_TYPE_OPT))
		return VERDICT_PASS_COUNTS;
	if (offset + sizeof(*opt) + bpf_ntohs(opt->rdlength) != (__u64)end)
		return VERDICT_PASS_EDNS;
	if (opt->version != 0)
		return VERDICT_PASS_EDNS_VERSION;
	q->udp_size = bpf_ntohs(opt->udp_size);
	q->dnssec_ok = (opt->flags & bpf_htons(EDNS_DO)) != 0;
	if (sum_opt(ctx, offset, end))
		return VERDICT_PASS_EDNS;

	at = offset + sizeof(*opt);
	for (i = 0; i < MAX_OPTIONS && at != end; i++) {
		at = parse_option(ctx, at);
		if (at < 0)
			return -at;
	}
	return at == end ? VERDICT_UNDECIDED : VERDICT_PASS_EDNS;
}

/* Fills the edns.h part of `q`. */
static __always_inline enum verdict parse_edns(struct xdp_md *ctx, struct query *q)
{
	__u32 question_end = FORGET(q->dns) + DNS_HEADER_OCTETS + FORGET(q->name_octets) + QUESTION_TAIL;

	q->ecs_octets = 0;
	q->ecs_scope = 0;
	q->opt_sum = 0;
	q->udp_size = 0;
	q->dnssec_ok = 0;
	if (q->has_opt)
		return parse_opt(ctx, question_end);
	return question_end == FORGET(q->end) ? VERDICT_UNDECIDED : VERDICT_PASS_COUNTS;
}

/*
 * Does the UDP checksum hold? A veth hands over frames whose checksum the sender's NIC was to finish: these do not add
 * up, and the stack, which knows better, lets userland answer.
 */
static __always_inline enum verdict verify_udp_checksum(struct xdp_md *ctx, const struct query *q)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(FORGET(q->dns));
	__u32 *header;
	__u64 sum;

	if (q->checksum_absent)
		return VERDICT_UNDECIDED;
	if (offset > MAX_DNS_OFFSET)
		return VERDICT_PASS_SHORT;
	header = data + offset;
	if ((void *)(header + 3) > data_end)
		return VERDICT_PASS_SHORT;
	sum = (__u64)q->header_sum + header[0] + header[1] + header[2];
	sum = sum_add(sum, q->question_sum);
	if (q->has_opt)
		sum = sum_add(sum, sum_at(q->opt_sum, q->name_octets));
	return sum_fold(sum) == 0xffff ? VERDICT_UNDECIDED : VERDICT_PASS_UDP_CHECKSUM;
}

#endif
