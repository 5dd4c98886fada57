/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The number that stands for a client where its answer is drawn by who it is and not at random: a hash of its network,
 * so that the clients of one network get one answer. One text for the kernel, the agent and the tests.
 */
#ifndef NEARSIDE_CLIENT_HASH_H
#define NEARSIDE_CLIENT_HASH_H

#include <linux/types.h>

/* How much of an address tells the network (RFC 7871 11.1); no scope that we return is longer. */
#define CLIENT_PREFIX_IPV4 24
#define CLIENT_PREFIX_IPV6 56

#define CLIENT_IPV4_MASK 0x0000000000ffffffull
#define CLIENT_IPV6_MASK 0x00ffffffffffffffull

/*
 * `word` holds the first octets of the address in network order, read as one little-endian number: at least four of an
 * IPv4 address, eight of an IPv6 address. The family stands in the octet that no prefix reaches, and each step below can
 * be undone: two networks never have the same 64 bits.
 */
static inline __attribute__((always_inline)) __u32 client_hash(__u64 word, int is_ipv6)
{
	__u64 h = is_ipv6 ? (word & CLIENT_IPV6_MASK) | 6ull << 56 : (word & CLIENT_IPV4_MASK) | 4ull << 56;

	/* The finalizer of MurmurHash3 (Appleby): every bit of the input moves half of the output's. */
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	h ^= h >> 33;
	return (__u32)(h >> 32);
}

#endif
