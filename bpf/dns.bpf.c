// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The XDP program that answers DNS queries from the maps: parse, look up, answer; or pass to the stack with a counted
 * reason. docs/life-of-a-query.md follows a packet through it.
 */
#include "platform.h"

#include "map_types.h"
#include "query.h"
#include "maps.h"
#include "checksum.h"
#include "packet.h"
#include "dns_message.h"
#include "edns.h"
#include "lookup.h"
#include "route.h"
#include "resize.h"
#include "reply.h"
#include "write.h"
#include "verdict.h"

static __always_inline enum verdict answer(struct xdp_md *ctx, const struct config *settings, const struct listen *ours,
					   struct query *q)
{
	enum verdict verdict;

	verdict = parse_frame(ctx, ours, q);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	/* A dead agent must not pin a dead server's address for ever. */
	q->stale = bpf_jiffies64() > settings->lease_deadline;
	if (q->stale && !(settings->flags & CONFIG_STALE_ALL && settings->lease_deadline))
		return VERDICT_PASS_LEASE;
	verdict = parse_message(ctx, q);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = parse_edns(ctx, q);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = verify_udp_checksum(ctx, q);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	verdict = find_answer(ctx, q);
	if (verdict != VERDICT_UNDECIDED)
		return verdict;
	return write_reply(ctx, settings, q);
}

SEC("xdp")
int nearside_dns(struct xdp_md *ctx)
{
	__u32 zero = 0, index;
	struct config *settings = bpf_map_lookup_elem(&config, &zero);
	struct query *q = the_query();
	struct listen *ours;
	enum verdict verdict;

	if (!settings || !q)
		return XDP_PASS;
	index = settings->listen_index;
	ours = bpf_map_lookup_elem(&listen, &index);
	if (!ours)
		return XDP_PASS;
	verdict = answer(ctx, settings, ours, q);
	if (verdict < VERDICT_PASS_NOT_IP) {
		if (q->stale)
			count(COUNTER_STALE);
		if (q->has_opt) {
			count(COUNTER_EDNS);
			if (q->ecs_octets)
				count(COUNTER_ECS);
		}
	}
	return finish(ctx, settings, verdict);
}

/* Run by the agent, never attached: the kernel's clocks side by side. HZ is not told to userland. */
SEC("xdp")
int nearside_clock(struct xdp_md *ctx __attribute__((unused)))
{
	__u32 zero = 0;
	struct clock_reading *reading = bpf_map_lookup_elem(&clock, &zero);

	if (reading) {
		reading->nanoseconds = bpf_ktime_get_ns();
		reading->jiffies = bpf_jiffies64();
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
