/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The end of each packet's way: counted, perhaps sampled, and turned into what XDP does with it. */
#ifndef NEARSIDE_VERDICT_H
#define NEARSIDE_VERDICT_H

#include "maps.h"
#include "packet.h"

/* Sends the query as an event. `ctx` still has the client's address as source, or as destination once it is answered. */
VERIFIED_ALONE int send_event(struct xdp_md *ctx, __u32 verdict)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct query *q = the_query();
	struct query_event *event;
	int answered = verdict < VERDICT_PASS_NOT_IP;
	__u64 offset, dns;
	struct udphdr *udp;
	__u32 i;

	if (!q)
		return 0;
	offset = OPAQUE(q->ip);
	dns = OPAQUE(q->dns);
	if (offset > MAX_DNS_OFFSET || dns < sizeof(*udp) || dns > MAX_DNS_OFFSET)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(COUNTER_EVENTS_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = bpf_ktime_get_ns();
	event->verdict = verdict;
	event->qtype = q->qtype;
	event->qname_length = q->name_octets;
	for (i = 0; i < QNAME_WORDS; i++)
		if (i * 8 < FORGET(q->name_octets)) /* behind it may stand what is left of a longer name */
			((__u64 *)event->qname)[i] = q->name[i];
	udp = data + OPAQUE(dns - sizeof(*udp));
	if ((void *)(udp + 1) <= data_end)
		event->client_port = answered ? udp->dest : udp->source;
	if (q->is_ipv6) {
		struct ipv6hdr *ip = data + offset;

		if ((void *)(ip + 1) <= data_end)
			__builtin_memcpy(event->client, answered ? &ip->daddr : &ip->saddr, 16);
	} else {
		struct iphdr *ip = data + offset;

		event->client[10] = 0xff;
		event->client[11] = 0xff;
		if ((void *)(ip + 1) <= data_end)
			__builtin_memcpy(event->client + 12, answered ? &ip->daddr : &ip->saddr, 4);
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Only queries for our addresses, the name of which was read, are worth an event. */
static __always_inline int has_question(enum verdict verdict)
{
	return verdict < VERDICT_PASS_NOT_IP || (verdict >= VERDICT_PASS_QCLASS && verdict < VERDICT_DROP_RESPONSE);
}

static __always_inline int finish(struct xdp_md *ctx, const struct config *settings, enum verdict verdict)
{
	__u32 interval = settings->sample_interval;

	count(verdict);
	if (interval && has_question(verdict) && bpf_get_prandom_u32() % interval == 0)
		send_event(ctx, verdict);
	if (verdict < VERDICT_PASS_NOT_IP)
		return XDP_TX;
	return verdict < VERDICT_DROP_RESPONSE ? XDP_PASS : XDP_DROP;
}

#endif
