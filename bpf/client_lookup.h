/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a client's address to its site: the longest row that covers it. One text for the kernel, the agent and the
 * tests. Whoever includes it says before what CLIENT_TABLES is, and gives the functions block4_at(), bucket4_at() and
 * bucket6_at(): a pointer to the element, or 0 where there is none.
 */
#ifndef NEARSIDE_CLIENT_LOOKUP_H
#define NEARSIDE_CLIENT_LOOKUP_H

#include "client_rows.h"

/* The word of the bucket's entry for this address; 0: none. */
static __always_inline __u32 word_in_bucket4(const struct bucket4 *bucket, __u32 address)
{
	__u64 entry, wanted = (__u64)address << 32;
	__u32 i;

	if (!bucket)
		return 0;
	for (i = 0; i < BUCKET4_ROWS; i++) {
		entry = read_word((const __u64 *)&bucket->rows[i]);
		/* A free entry looks like that of address 0 but for its word. */
		if (entry << 32 == wanted && entry >> 32)
			return (__u32)(entry >> 32);
	}
	return 0;
}

/* The row's site plus one; 0: none. */
static __always_inline __u32 site_in_bucket6(const struct bucket6 *bucket, __u64 prefix, __u32 tag_and_length)
{
	__u64 word;
	__u32 i;

	if (!bucket)
		return 0;
	for (i = 0; i < BUCKET6_ROWS; i++) {
		word = read_word((const __u64 *)&bucket->rows[i].site);
		if (word >> 32 == tag_and_length && read_word(&bucket->rows[i].prefix) == prefix && (__u32)word)
			return (__u32)word;
	}
	return 0;
}

/*
 * The site of an IPv4 address; site 0 where no row covers it; -1: not known here. An address that has an entry needs no
 * more than its first bucket most of the time: no row is longer.
 */
static __always_inline int site_of_ipv4(CLIENT_TABLES tables, const struct config *settings, __u32 address)
{
	const struct block4 *block;
	__u32 word, longer, site;
	__u64 hash;

	if (settings->flags & CONFIG_ROWS_LOADING)
		return -1;
	hash = hash_of_address4(address);
	word = word_in_bucket4(bucket4_at(tables, first_bucket(hash, settings->buckets4)), address);
	if (!word) {
		block = block4_at(tables, (address >> 8) / BLOCK4_SITES);
		if (!block)
			return -1;
		word = read_word32(&block->words[(address >> 8) % BLOCK4_SITES]);
		if (word & SITES4_LONGER) {
			longer = word_in_bucket4(bucket4_at(tables, second_bucket(hash, settings->buckets4)), address);
			if (longer)
				word = longer;
		}
	}
	site = word & ROW_SITE;
	if (site == ROW_PASS)
		return -1;
	return site ? (int)site - 1 : 0;
}

/* The site of an IPv6 address, given by its first 64 bits; site 0 where no row covers it; -1: not known here. */
static __always_inline int site_of_ipv6(CLIENT_TABLES tables, const struct config *settings, __u64 address)
{
	__u64 lengths = read_word(&settings->lengths6), prefix, hash;
	__u32 i, length, tag_and_length, site;

	if (settings->flags & CONFIG_ROWS_LOADING)
		return -1;
	for (i = 0; i < MAX_LENGTHS6; i++) {
		if (!(lengths & 0xff))
			break;
		length = (__u32)(lengths & 0xff) - 1;
		lengths >>= 8;
		prefix = prefix_of_address6(address, length);
		hash = hash_of_prefix6(prefix, length);
		tag_and_length = tag_of_row6(hash, length);
		site = site_in_bucket6(bucket6_at(tables, first_bucket(hash, settings->buckets6)), prefix,
				       tag_and_length);
		if (!site)
			site = site_in_bucket6(bucket6_at(tables, second_bucket(hash, settings->buckets6)), prefix,
					       tag_and_length);
		if (site) {
			if (settings->flags & CONFIG_ROWS6_MISSING && length != MAX_LENGTH6)
				return -1;
			return (int)site - 1;
		}
	}
	return settings->flags & CONFIG_ROWS6_MISSING ? -1 : 0;
}

#endif
