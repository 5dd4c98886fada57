/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The Internet checksum (RFC 1071) from parts. Sums are kept in the byte order of memory and grow in 64 bits, by 32 bits
 * at a time, so that no message can make them overflow; a part that begins at an odd offset is folded and has its octets
 * swapped before it joins.
 */
#ifndef NEARSIDE_CHECKSUM_H
#define NEARSIDE_CHECKSUM_H

#include "platform.h"

static __always_inline __u64 sum_add(__u64 sum, __u64 word)
{
	/* No carry to add back means no branch, and no two states for the verifier to follow. */
	return sum + (word & 0xffffffff) + (word >> 32);
}

static __always_inline __u16 sum_fold(__u64 sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (__u16)sum;
}

/* The part's sum as it counts when the part begins at `offset` of the whole. */
static __always_inline __u16 sum_at(__u64 sum, __u32 offset)
{
	__u16 folded = sum_fold(sum);

	return offset & 1 ? __builtin_bswap16(folded) : folded;
}

#endif
