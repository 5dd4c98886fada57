/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Gives the frame the reply's length. A frame of the local stack on a veth has 13 to 61 octets of room behind it, a NIC's
 * buffer half a page: the tail is tried first, then the head, where all up to the question moves to the new start.
 */
#ifndef NEARSIDE_RESIZE_H
#define NEARSIDE_RESIZE_H

#include "maps.h"
#include "dns_message.h"

/* More than any reply can need. */
#define MAX_GROWTH (MAX_UDP_REPLY + 1)

/* `wanted` octets more; the first `kept`, up to the end of the question, keep their place. Returns a verdict. */
VERIFIED_ALONE int grow_at_head(struct xdp_md *ctx, __u32 wanted, __u32 kept)
{
	__u64 growth = OPAQUE(wanted), question_end = OPAQUE(kept);
	void *data, *data_end;
	__u64 at = 0;
	__u32 i;

	if (growth > MAX_GROWTH || question_end > MAX_OPT_OFFSET)
		return VERDICT_PASS_NO_ROOM;
	if (bpf_xdp_adjust_head(ctx, -(int)growth))
		return VERDICT_PASS_NO_ROOM;
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	for (i = 0; i < MAX_OPT_OFFSET / 8; i++) {
		__u64 *to = data + i * 8;
		__u64 *from = data + i * 8 + growth;

		at = i * 8;
		if (at + 8 > question_end)
			break;
		if ((void *)(from + 1) > data_end || (void *)(to + 1) > data_end)
			return VERDICT_DROP_UNSETTLED;
		*to = *from;
		at += 8;
	}
	for (i = 0; i < 8; i++) {
		__u8 *to = data + at + i;
		__u8 *from = data + at + i + growth;

		if (at + i >= question_end)
			break;
		if ((void *)(from + 1) > data_end || (void *)(to + 1) > data_end)
			return VERDICT_DROP_UNSETTLED;
		*to = *from;
	}
	count(COUNTER_GREW_HEAD);
	return VERDICT_UNDECIDED;
}

/* Packet pointers are void after it. */
static __always_inline enum verdict resize(struct xdp_md *ctx, __u64 length, __u64 question_end)
{
	__u32 now = (void *)(long)ctx->data_end - (void *)(long)ctx->data;
	int growth = (int)(length - now);

	if (growth == 0)
		return VERDICT_UNDECIDED;
	if (bpf_xdp_adjust_tail(ctx, growth) == 0) {
		count(growth > 0 ? COUNTER_GREW_TAIL : COUNTER_SHRANK);
		return VERDICT_UNDECIDED;
	}
	if (growth < 0)
		return VERDICT_PASS_NO_ROOM;
	return grow_at_head(ctx, growth, question_end);
}

#endif
