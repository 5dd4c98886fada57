/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From the name, the client and the type to the prepared answer. */
#ifndef NEARSIDE_LOOKUP_H
#define NEARSIDE_LOOKUP_H

#include "edns.h"
#include "maps.h"

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

/* RFC 7871 7.3.1: the site of the client's prefix and how much of the prefix told it. */
VERIFIED_ALONE int find_site(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct query *q = the_query();
	struct client_site *found = 0;
	struct client_key4 key4 = {};
	struct client_key6 key6 = {};
	struct ecs_option *ecs;
	__u64 offset;

	if (!q)
		return 0;
	offset = OPAQUE(q->ip);
	ecs = (struct ecs_option *)q->ecs;
	if (q->ecs_octets && ecs->family == bpf_htons(ECS_FAMILY_IPV4)) {
		key4.prefix_length = ecs->source;
		__builtin_memcpy(key4.address, ecs + 1, 4);
		found = bpf_map_lookup_elem(&clients4, &key4);
	} else if (q->ecs_octets) {
		key6.prefix_length = ecs->source;
		__builtin_memcpy(key6.address, ecs + 1, 16);
		found = bpf_map_lookup_elem(&clients6, &key6);
	} else if (offset <= MAX_DNS_OFFSET && q->is_ipv6) {
		struct ipv6hdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return 0;
		key6.prefix_length = 128;
		__builtin_memcpy(key6.address, &ip->saddr, 16);
		found = bpf_map_lookup_elem(&clients6, &key6);
	} else if (offset <= MAX_DNS_OFFSET) {
		struct iphdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return 0;
		key4.prefix_length = 32;
		__builtin_memcpy(key4.address, &ip->saddr, 4);
		found = bpf_map_lookup_elem(&clients4, &key4);
	}
	if (!found)
		return 0;
	if (q->ecs_octets)
		q->ecs_scope = found->scope;
	return found->site;
}

/* Fills the lookup.h part of `q`: the ref of the answer, and which of its alternatives. */
static __always_inline enum verdict find_answer(struct xdp_md *ctx, const struct config *settings, struct query *q)
{
	int set = find_name(ctx);
	__u32 sites = settings->site_count, index, site = 0;
	struct answer_ref *row;

	if (set < 0)
		return VERDICT_PASS_NAME;
	if (sites > 1) {
		site = find_site(ctx);
		if (site >= sites)
			site = 0;
	}
	q->site = site;
	index = (set * sites + site) * TYPE_CLASS_COUNT + type_class_of(q->qtype);
	row = bpf_map_lookup_elem(&answers, &index);
	if (!row)
		return VERDICT_PASS_NO_IMAGE;
	*(__u64 *)&q->ref = *(volatile __u64 *)row;
	if (q->ref.alternatives == 0)
		return VERDICT_PASS_NO_IMAGE;
	q->slot = q->ref.slot;
	if (q->ref.alternatives > 1)
		q->slot += ((__u64)(__u32)bpf_get_prandom_u32() * q->ref.alternatives) >> 32;
	return VERDICT_UNDECIDED;
}

#endif
