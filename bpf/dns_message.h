/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The DNS header and the question (RFC 1035 4.1): what kind of query it is, its name lower-cased, hashed and summed. */
#ifndef NEARSIDE_DNS_MESSAGE_H
#define NEARSIDE_DNS_MESSAGE_H

#include "checksum.h"
#include "maps.h"
#include "packet.h"
#include "qname_hash.h"

struct dns_header {
	__be16 id;
	__be16 flags;
	__be16 qdcount;
	__be16 ancount;
	__be16 nscount;
	__be16 arcount;
};

#define DNS_QR 0x8000
#define DNS_OPCODE 0x7800
#define DNS_AA 0x0400
#define DNS_TC 0x0200
#define DNS_RD 0x0100
#define DNS_CD 0x0010

#define DNS_CLASS_IN 1
#define DNS_TYPE_OPT 41
#define DNS_TYPE_META 128 /* from here to ANY: not data of a name (RFC 6895 3.1) */
#define DNS_TYPE_ANY 255

/* DNS offset plus the longest question; keeps every offset that the verifier has to follow small. */
#define MAX_DNS_OFFSET 82
#define QUESTION_TAIL 4
#define MAX_OPT_OFFSET (MAX_DNS_OFFSET + DNS_HEADER_OCTETS + MAX_QNAME + QUESTION_TAIL)

/* The octets of the name at `offset`, the root label included; 0 where it is cut off, compressed or too long. */
static __always_inline __u64 qname_octets(void *data, void *data_end, __u64 offset)
{
	__u64 at = 0;
	__u32 i;

	for (i = 0; i < MAX_QNAME / 2 + 1; i++) {
		__u8 *length = data + offset + at;

		if ((void *)(length + 1) > data_end || *length > 63)
			return 0;
		if (*length == 0)
			return at + 1;
		at += *length + 1;
		if (at >= MAX_QNAME)
			return 0;
	}
	return 0;
}

/*
 * Reads the name of the message at `dns_offset`: its lower-cased words, hash, length, and with the four octets behind it the sum of the
 * question. The last word is loaded so that it ends where the name ends: nothing beyond the name is touched.
 * Returns the octets of the name, or 0.
 */
VERIFIED_ALONE int read_qname(struct xdp_md *ctx, __u32 dns_offset)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct query *q = the_query();
	struct config *settings;
	struct qname_hash_state hash;
	__u64 sum = 0, word, offset;
	__u64 octets, at;
	__u32 zero = 0, *tail;
	__u32 i;

	settings = bpf_map_lookup_elem(&config, &zero);
	offset = OPAQUE((__u64)dns_offset + DNS_HEADER_OCTETS);
	if (!q || !settings || offset > MAX_DNS_OFFSET + DNS_HEADER_OCTETS)
		return 0;
	q->name_octets = qname_octets(data, data_end, offset);
	octets = OPAQUE(FORGET(q->name_octets));
	if (octets > MAX_QNAME)
		return 0;
	octets = OPAQUE(octets); /* or the compiler checks both bounds on octets - 1, which old kernels do not follow */
	if (octets == 0)
		return 0;
	tail = data + offset + octets;
	if ((void *)(tail + 1) > data_end)
		return 0;

	qname_hash_start(&hash, settings->hash_key);
	for (i = 0; i < QNAME_WORDS; i++) {
		at = i * 8;
		if (at + 8 <= octets) {
			__u64 *whole = data + offset + at;

			if ((void *)(whole + 1) > data_end)
				return 0;
			word = *whole;
		} else if (at < octets) {
			__u64 *last = data + OPAQUE(offset + octets - 8);

			if ((void *)(last + 1) > data_end)
				return 0;
			word = *last >> (8 * (at + 8 - octets));
		} else {
			break;
		}
		sum = sum_add(sum, word);
		word = lower_word(word);
		q->name[i] = word;
		qname_hash_mix(&hash, word);
	}
	qname_hash_finish(&hash, octets, &q->key);
	q->question_sum = sum_add(sum, sum_at(*tail, octets));
	return octets;
}

/* Fills the dns_message.h part of `q`. */
static __always_inline enum verdict parse_message(struct xdp_md *ctx, struct query *q)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u64 offset = OPAQUE(FORGET(q->dns)), octets;
	struct dns_header *header;
	__be16 *question_tail;
	__u32 qtype;

	if (offset > MAX_DNS_OFFSET)
		return VERDICT_PASS_SHORT;
	offset = OPAQUE(offset) & 0x7f; /* old kernels forget the bound when the number is spilled in between */
	header = data + offset;
	if ((void *)(header + 1) > data_end)
		return VERDICT_PASS_SHORT;
	if (header->flags & bpf_htons(DNS_QR))
		return VERDICT_DROP_RESPONSE;
	if (header->flags & bpf_htons(DNS_OPCODE))
		return VERDICT_PASS_OPCODE;
	if (header->qdcount != bpf_htons(1) || header->ancount || header->nscount || header->arcount & ~bpf_htons(1))
		return VERDICT_PASS_COUNTS;
	q->id = header->id;
	q->flags = header->flags;
	q->has_opt = header->arcount != 0;

	octets = OPAQUE(read_qname(ctx, offset));
	if (octets > MAX_QNAME)
		return VERDICT_PASS_QNAME;
	octets = OPAQUE(octets);
	if (octets == 0)
		return VERDICT_PASS_QNAME;
	question_tail = data + offset + DNS_HEADER_OCTETS + octets;
	if ((void *)(question_tail + 2) > data_end ||
	    offset + DNS_HEADER_OCTETS + octets + QUESTION_TAIL > FORGET(q->end))
		return VERDICT_PASS_QNAME;
	if (question_tail[1] != bpf_htons(DNS_CLASS_IN))
		return VERDICT_PASS_QCLASS;
	q->qtype = question_tail[0];
	qtype = bpf_ntohs(q->qtype);
	if (qtype == 0 || qtype == DNS_TYPE_OPT || (qtype >= DNS_TYPE_META && qtype <= DNS_TYPE_ANY))
		return VERDICT_PASS_QTYPE;
	return VERDICT_UNDECIDED;
}

#endif
