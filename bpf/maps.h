/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps: what each holds, who writes it, who reads it. Sizes given as 1 are set when the maps are made
 * (agent/dataplane/object.cpp). All but `scratch` are pinned and outlive program and agent; docs/map-contract.md.
 */
#ifndef NEARSIDE_MAPS_H
#define NEARSIDE_MAPS_H

#include "map_types.h"
#include "query.h"

/* What the agent tells the program. Written by the agent through its memory map, read for each packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct config);
} config SEC(".maps");

/* Our addresses and port; config.listen_index tells which of the two is in force. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct listen);
} listen SEC(".maps");

/* Installed names of up to SHORT_QNAME octets. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct name_key);
	__type(value, struct name_short);
} names_short SEC(".maps");

/* Installed names that are longer. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct name_key);
	__type(value, struct name_long);
} names_long SEC(".maps");

/* Set and type class -> where the images are. Written by the agent, one aligned word at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct answer_ref);
} answers SEC(".maps");

/* Set and address family -> what is answered past the lease, all zero: what `answers` has. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct answer_ref);
} stale_answers SEC(".maps");

/* Base and site -> where the images are. Written by the agent, one aligned word at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct answer_ref);
} site_answers SEC(".maps");

/* Prepared answers. Written by the agent while no ref names them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct image_small);
} slots_small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct image_large);
} slots_large SEC(".maps");

/* The first 24 bits of an IPv4 address -> the site of its clients. Written by the agent, one aligned word at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct block4);
} sites4 SEC(".maps");

/* Hash of an IPv4 address -> sites of clients whose rows are longer than /24. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bucket4);
} rows4 SEC(".maps");

/* Hash of an IPv6 prefix -> sites of clients. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bucket6);
} rows6 SEC(".maps");

/* Resolver prefix -> site and edge. Written by the agent, read by people. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct mapping_key4);
	__type(value, struct mapping_value);
} mapping4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct mapping_key6);
	__type(value, struct mapping_value);
} mapping6 SEC(".maps");

/* Packets by verdict, then the side counters. Written by the program, read by agent and command line. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* Sampled queries, struct query_event. Written by the program, read by `nearside events`. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

/* The query in hand: too large for the stack, and the way that functions verified on their own hand it on. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct query);
} scratch SEC(".maps");

/* The kernel's two clocks side by side, for the agent's conversion of time to jiffies. Written by nearside_clock. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct clock_reading);
} clock SEC(".maps");

static __always_inline struct query *the_query(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		*value += 1;
}

#endif
