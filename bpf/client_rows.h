/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where a row stands in `rows4` and `rows6`: the hashes, the two buckets, the tag. One text for who writes the tables
 * and who reads them.
 */
#ifndef NEARSIDE_CLIENT_ROWS_H
#define NEARSIDE_CLIENT_ROWS_H

#include "map_types.h"

/* One load, never repeated or split by the compiler. */
static inline __attribute__((always_inline)) __u64 read_word(const __u64 *word)
{
	return *(const volatile __u64 *)word;
}

static inline __attribute__((always_inline)) __u32 read_word32(const __u32 *word)
{
	return *(const volatile __u32 *)word;
}

/* The finalizer of MurmurHash3 (Appleby): each half of the result depends on every bit. */
static inline __attribute__((always_inline)) __u64 mix_row(__u64 h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	h ^= h >> 33;
	return h;
}

static inline __attribute__((always_inline)) __u64 hash_of_address4(__u32 address)
{
	return mix_row((__u64)address + 1); /* 0 would stay 0 */
}

/* The address's first 64 bits, zero behind the prefix. */
static inline __attribute__((always_inline)) __u64 prefix_of_address6(__u64 address, __u32 length)
{
	return length ? address & ~0ull << (MAX_LENGTH6 - length) : 0;
}

static inline __attribute__((always_inline)) __u64 hash_of_prefix6(__u64 prefix, __u32 length)
{
	return mix_row(prefix ^ (__u64)(length + 1) * 0x9e3779b97f4a7c15ull);
}

/* The places of a key: each half of its hash times the number of buckets. */
static inline __attribute__((always_inline)) __u32 first_bucket(__u64 hash, __u32 buckets)
{
	return (__u32)((hash & 0xffffffff) * buckets >> 32);
}

static inline __attribute__((always_inline)) __u32 second_bucket(__u64 hash, __u32 buckets)
{
	return (__u32)((hash >> 32) * buckets >> 32);
}

/* What the entry of a prefix has beside its site; never 0. An entry that is another row's by now has another tag. */
static inline __attribute__((always_inline)) __u32 tag_of_row6(__u64 hash, __u32 length)
{
	/* The lower bits of each half, of which the bucket's number tells least. */
	return (__u32)(hash ^ hash >> 32) << 8 | (length + 1);
}

#endif
