/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the reply goes. Swapping the MAC addresses is right when every route back leaves by the interface that the query
 * came in on; where the agent sees that it is not so (CONFIG_ROUTE_LOOKUP), the routing table is asked before anything is written.
 */
#ifndef NEARSIDE_ROUTE_H
#define NEARSIDE_ROUTE_H

#include "maps.h"
#include "packet.h"

#define NEARSIDE_AF_INET 2
#define NEARSIDE_AF_INET6 10

/* Asks the routing table; on success the MAC addresses are in the query. Returns a verdict. */
VERIFIED_ALONE int look_up_route(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct bpf_fib_lookup fib = {};
	struct query *q = the_query();
	__u64 offset;

	if (!q)
		return VERDICT_PASS_NO_ROUTE;
	count(COUNTER_FIB);
	offset = OPAQUE(q->ip);
	if (offset > MAX_DNS_OFFSET)
		return VERDICT_PASS_NO_ROUTE;
	fib.ifindex = ctx->ingress_ifindex;
	fib.l4_protocol = IPPROTO_UDP;
	if (q->is_ipv6) {
		struct ipv6hdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return VERDICT_PASS_NO_ROUTE;
		fib.family = NEARSIDE_AF_INET6;
		__builtin_memcpy(fib.ipv6_src, &ip->daddr, 16);
		__builtin_memcpy(fib.ipv6_dst, &ip->saddr, 16);
	} else {
		struct iphdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end)
			return VERDICT_PASS_NO_ROUTE;
		fib.family = NEARSIDE_AF_INET;
		fib.ipv4_src = ip->daddr;
		fib.ipv4_dst = ip->saddr;
	}
	/* A table that is not asked because forwarding is off, another interface, a neighbour not yet known: the stack
	 * sends the reply, and so learns the neighbour. */
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS ||
	    fib.ifindex != ctx->ingress_ifindex)
		return VERDICT_PASS_NO_ROUTE;
	__builtin_memcpy(q->source_mac, fib.smac, sizeof(q->source_mac));
	__builtin_memcpy(q->destination_mac, fib.dmac, sizeof(q->destination_mac));
	q->route_is_known = 1;
	return VERDICT_UNDECIDED;
}

static __always_inline enum verdict find_route(struct xdp_md *ctx, const struct config *settings, struct query *q)
{
	q->route_is_known = 0;
	if (settings->flags & CONFIG_ROUTE_LOOKUP)
		return look_up_route(ctx);
	return VERDICT_UNDECIDED;
}

#endif
