/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The rows of the benchmark's mapping: number i is a resolver somewhere in the address space, and has a site. */
#ifndef NEARSIDE_BENCH_CLIENT_ROWS_H
#define NEARSIDE_BENCH_CLIENT_ROWS_H

#include <linux/types.h>

/* As many edges, and lists of edges, as the plan is made for. */
#define BENCH_SITES 100000

/* 32.0.0.0 to 95.255.255.255. An odd factor: no two numbers below 2^30 give one address. */
static inline __attribute__((always_inline)) __u32 bench_address4(__u32 row)
{
	return 0x20000000u + (row * 2654435761u & 0x3fffffffu);
}

/* The first 64 bits: a /64 within 2000::/3. */
static inline __attribute__((always_inline)) __u64 bench_address6(__u32 row)
{
	return 1ull << 61 | (row * 0x9e3779b97f4a7c15ull) >> 3;
}

/* Site 0 is that of the clients without a row. */
static inline __attribute__((always_inline)) __u32 bench_site(__u32 row, __u32 sites)
{
	return 1 + row % sites;
}

#endif
