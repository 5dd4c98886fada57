/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The keyed 128-bit hash of a lower-cased QNAME, eight octets a step. It finds the place in the map; the full compare
 * on a hit decides, so the hash need not withstand a forger, only spread: two installed names with one hash are refused
 * when they are installed. One text for the kernel, the agent and the tests.
 */
#ifndef NEARSIDE_QNAME_HASH_H
#define NEARSIDE_QNAME_HASH_H

#include "map_types.h"

/* State: start() with the key, mix() each word in order, finish() with the number of octets. */
struct qname_hash_state {
	__u64 a;
	__u64 b;
};

static inline __attribute__((always_inline)) void qname_hash_start(struct qname_hash_state *s, const __u64 key[2])
{
	s->a = key[0];
	s->b = key[1];
}

static inline __attribute__((always_inline)) void qname_hash_mix(struct qname_hash_state *s, __u64 word)
{
	/* Odd constants with well-spread bits: 2^64 over the golden ratio, and a prime of xxHash64. */
	s->a = (s->a ^ word) * 0x9e3779b97f4a7c15ull;
	s->a ^= s->a >> 29;
	s->b = (s->b + word) * 0xc2b2ae3d27d4eb4full;
	s->b = (s->b << 27) | (s->b >> 37);
}

static inline __attribute__((always_inline)) void qname_hash_finish(const struct qname_hash_state *s,
								    unsigned int octets, struct name_key *out)
{
	__u64 a = (s->a ^ octets) * 0xff51afd7ed558ccdull;
	__u64 b = (s->b + a) * 0xc4ceb9fe1a85ec53ull;

	a ^= b >> 32;
	b ^= b >> 29;
	out->hash[0] = a;
	out->hash[1] = b;
}

/* Letters A-Z of eight octets at once as a-z. Length octets of labels (0 to 63) lie below 'A' and stay. */
static inline __attribute__((always_inline)) __u64 lower_word(__u64 word)
{
	const __u64 ones = 0x0101010101010101ull;
	__u64 low = word & (0x7f * ones);
	__u64 at_least_a = low + (0x80 - 'A') * ones;
	__u64 above_z = low + (0x7f - 'Z') * ones;
	__u64 upper = (at_least_a ^ above_z) & ~word & (0x80 * ones);

	return word | (upper >> 2);
}

/* The whole at once: `words` are lower-cased and zero-padded, `octets` counts the root label. */
static inline void qname_hash(const __u64 *words, unsigned int octets, const __u64 key[2], struct name_key *out)
{
	struct qname_hash_state s;
	unsigned int i;

	qname_hash_start(&s, key);
	for (i = 0; i * 8 < octets; i++)
		qname_hash_mix(&s, words[i]);
	qname_hash_finish(&s, octets, out);
}

#endif
