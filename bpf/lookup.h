/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From the name, the client and the type to the prepared answer. */
#ifndef NEARSIDE_LOOKUP_H
#define NEARSIDE_LOOKUP_H

#include "client_hash.h"
#include "edns.h"
#include "maps.h"

/* What client_lookup.h asks for: here its tables are maps. */
#define CLIENT_TABLES int
static __always_inline const struct block4 *block4_at(CLIENT_TABLES tables, __u32 index)
{
	(void)tables;
	return bpf_map_lookup_elem(&sites4, &index);
}

static __always_inline const struct bucket4 *bucket4_at(CLIENT_TABLES tables, __u32 index)
{
	(void)tables;
	return bpf_map_lookup_elem(&rows4, &index);
}

static __always_inline const struct bucket6 *bucket6_at(CLIENT_TABLES tables, __u32 index)
{
	(void)tables;
	return bpf_map_lookup_elem(&rows6, &index);
}

#include "client_lookup.h"

static __always_inline __u32 type_class_of(__be16 qtype)
{
	switch (bpf_ntohs(qtype)) {
	case 1:
		return TYPE_CLASS_A;
	case 2:
		return TYPE_CLASS_NS;
	case 6:
		return TYPE_CLASS_SOA;
	case 15:
		return TYPE_CLASS_MX;
	case 16:
		return TYPE_CLASS_TXT;
	case 28:
		return TYPE_CLASS_AAAA;
	case 65:
		return TYPE_CLASS_HTTPS;
	default:
		return TYPE_CLASS_OTHER;
	}
}

/* Both are zero-padded to whole words, so that words can be compared up to the name's end. */
static __always_inline int same_name(const __u64 *installed, const __u64 *asked, __u32 octets, __u32 words)
{
	__u32 i;

	for (i = 0; i < words; i++) {
		if (i * 8 >= octets)
			break;
		if (installed[i] != asked[i])
			return 0;
	}
	return 1;
}

/* The installed name that equals the QNAME, and what it is bound to. Returns the set, or -1. */
VERIFIED_ALONE int find_name(struct xdp_md *ctx)
{
	struct query *q = the_query();
	struct name_binding binding;
	__u32 octets;

	KEEP_ARGUMENT(ctx);
	if (!q)
		return -1;
	octets = q->name_octets;
	if (octets <= SHORT_QNAME) {
		struct name_short *entry = bpf_map_lookup_elem(&names_short, &q->key);

		if (!entry)
			return -1;
		*(__u64 *)&binding = FORGET(*(__u64 *)&entry->binding);
		if (!same_name(entry->name, q->name, octets, SHORT_QNAME_WORDS))
			return -1;
	} else {
		struct name_long *entry = bpf_map_lookup_elem(&names_long, &q->key);

		if (!entry)
			return -1;
		*(__u64 *)&binding = FORGET(*(__u64 *)&entry->binding);
		if (!same_name(entry->name, q->name, octets, QNAME_WORDS))
			return -1;
	}
	/* A recycled element carries the tag of another name. */
	if ((binding.tag_and_zone ^ (__u32)(q->key.hash[1] >> 32)) & BINDING_TAG_MASK)
		return -1;
	q->zone_octets = binding.tag_and_zone & ~BINDING_TAG_MASK;
	if (q->zone_octets > octets || binding.set > 0x7fffffff)
		return -1;
	return binding.set;
}

/* The site of the source address. Returns a number below MAX_SITES, or -1: not known here. */
VERIFIED_ALONE int find_site(struct xdp_md *ctx)
{
	struct query *q = the_query();
	struct config *settings;
	__u32 zero = 0;

	KEEP_ARGUMENT(ctx);
	settings = bpf_map_lookup_elem(&config, &zero);
	if (!q || !settings)
		return -1;
	return q->is_ipv6 ? site_of_ipv6(0, settings, q->source) : site_of_ipv4(0, settings, q->source);
}

/* Was it asked on a direct address? Where that cannot be told, as if it were. */
VERIFIED_ALONE int asked_directly(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct query *q = the_query();
	struct config *settings;
	struct listen *ours;
	__u32 zero = 0, index;
	__u64 offset;

	settings = bpf_map_lookup_elem(&config, &zero);
	if (!q || !settings)
		return 1;
	index = settings->listen_index;
	ours = bpf_map_lookup_elem(&listen, &index);
	offset = OPAQUE(q->ip);
	if (!ours || offset > MAX_DNS_OFFSET)
		return 1;
	if (q->is_ipv6) {
		struct ipv6hdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return 1;
		return ours->direct6 && is_direct6(ours, &ip->daddr);
	} else {
		struct iphdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return 1;
		return ours->direct4 && is_direct4(ours, ip->daddr);
	}
}

/* Puts the word of the client's site in the place of the base. Returns a verdict. */
VERIFIED_ALONE int choose_by_site(struct xdp_md *ctx)
{
	struct query *q = the_query();
	struct answer_ref *row;
	__u32 index, zero = 0;
	struct config *settings;
	int site;

	settings = bpf_map_lookup_elem(&config, &zero);
	if (!q || !settings)
		return VERDICT_PASS_NO_IMAGE;
	/* The agent answers there as the server of the cut itself: with other words for the same client. */
	if (asked_directly(ctx))
		return VERDICT_PASS_DIRECT;
	if (q->ref.flags & ANSWER_ECS_TO_AGENT && q->ecs_octets && ((struct ecs_option *)q->ecs)->source)
		return VERDICT_PASS_CLIENT_SUBNET;
	site = find_site(ctx);
	/* Beyond the row's end are the words of other names. */
	if (site < 0 || (__u32)site >= settings->sites)
		return VERDICT_PASS_NO_IMAGE;
	index = q->ref.slot + site;
	row = bpf_map_lookup_elem(&site_answers, &index);
	if (!row)
		return VERDICT_PASS_NO_IMAGE;
	*(__u64 *)&q->ref = *(volatile __u64 *)row;
	return q->ref.alternatives ? VERDICT_UNDECIDED : VERDICT_PASS_NO_IMAGE;
}

/* The number by which the client's answer is drawn; it says in the scope of the reply how much of the client it tells. */
VERIFIED_ALONE int client_number(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct query *q = the_query();
	struct ecs_option *ecs;
	__u32 scope, most;
	__u64 offset;

	if (!q)
		return 0;
	ecs = (struct ecs_option *)q->ecs;
	/* SOURCE 0 asks for an answer that nothing is told for (RFC 7871 7.1.2): the address decides, and the scope is 0. */
	if (q->ecs_octets && ecs->source) {
		int is_ipv6 = ecs->family == bpf_htons(ECS_FAMILY_IPV6);

		scope = ecs->source;
		most = is_ipv6 ? CLIENT_PREFIX_IPV6 : CLIENT_PREFIX_IPV4;
		if (scope > most)
			scope = most;
		if (q->ecs_scope < scope)
			q->ecs_scope = scope;
		return client_hash(q->ecs[1], is_ipv6);
	}
	offset = OPAQUE(q->ip);
	if (offset > MAX_DNS_OFFSET)
		return 0;
	if (q->is_ipv6) {
		struct ipv6hdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return 0;
		return client_hash((__u64)ip->saddr.in6_u.u6_addr32[1] << 32 | ip->saddr.in6_u.u6_addr32[0], 1);
	} else {
		struct iphdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return 0;
		return client_hash(ip->saddr, 0);
	}
}

/* The word that is answered from past the lease, where there is one. */
static __always_inline void find_stale_answer(__u32 set, __u32 type_class, struct query *q)
{
	__u32 index = set * STALE_COLUMNS + type_class;
	struct answer_ref *row, ref;

	if (type_class >= STALE_COLUMNS)
		return;
	row = bpf_map_lookup_elem(&stale_answers, &index);
	if (!row)
		return;
	*(__u64 *)&ref = *(volatile __u64 *)row;
	if (ref.alternatives)
		q->ref = ref;
}

/* Fills the lookup.h part of `q`: the ref of the answer, and which of its alternatives. The draw is dns::draw() of
 * agent/dns/choice.hpp; write.h goes on to the other alternative where the rest says so. */
static __always_inline enum verdict find_answer(struct xdp_md *ctx, struct query *q)
{
	int set = find_name(ctx);
	__u32 index, type_class;
	struct answer_ref *row;
	enum verdict verdict;

	if (set < 0)
		return VERDICT_PASS_NAME;
	type_class = type_class_of(q->qtype);
	index = set * TYPE_CLASS_COUNT + type_class;
	row = bpf_map_lookup_elem(&answers, &index);
	if (!row)
		return VERDICT_PASS_NO_IMAGE;
	*(__u64 *)&q->ref = *(volatile __u64 *)row;
	if (q->stale)
		find_stale_answer(set, type_class, q);
	if (q->ref.alternatives == 0)
		return VERDICT_PASS_NO_IMAGE;
	if (q->ref.flags & ANSWER_BY_SITE) {
		verdict = choose_by_site(ctx);
		if (verdict != VERDICT_UNDECIDED)
			return verdict;
	}
	q->slot = q->ref.slot;
	q->rest = 0;
	if (q->ref.alternatives > 1 || q->ref.flags & ANSWER_BY_CLIENT) {
		__u32 number =
			q->ref.flags & ANSWER_BY_CLIENT ? (__u32)client_number(ctx) : (__u32)bpf_get_prandom_u32();
		__u64 place = (__u64)number * q->ref.alternatives;

		q->slot += place >> 32;
		q->rest = place >> 16;
	}
	return VERDICT_UNDECIDED;
}

#endif
