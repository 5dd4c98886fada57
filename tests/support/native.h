/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The surroundings of the BPF program when it is built for this machine: its helpers are functions here, its maps are
 * looked up in struct native_tables (native_dns.h). Included by bpf/platform.h only.
 */
#ifndef NEARSIDE_TESTS_NATIVE_H
#define NEARSIDE_TESTS_NATIVE_H

/* The kernel's context has 32-bit pointers, which its verifier rewrites; ours are real. */
#define xdp_md kernel_xdp_md
#include <linux/bpf.h>
#undef xdp_md

#include <bpf/bpf_endian.h>
#include <linux/types.h>

struct xdp_md {
  unsigned long data;
  unsigned long data_end;
  __u32 ingress_ifindex;
};

/* Maps of these names would stand in for functions of the C library. */
#define listen nearside_listen_map
#define clock nearside_clock_map

#define SEC(name)
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val)* name
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

/* libbpf has system calls of the same names. */
#define bpf_map_lookup_elem native_map_lookup_elem
#define bpf_xdp_adjust_head native_xdp_adjust_head
#define bpf_xdp_adjust_tail native_xdp_adjust_tail

void* bpf_map_lookup_elem(const void* map, const void* key);
long bpf_xdp_adjust_head(struct xdp_md* ctx, int delta);
long bpf_xdp_adjust_tail(struct xdp_md* ctx, int delta);
long bpf_fib_lookup(void* ctx, struct bpf_fib_lookup* params, int length, __u32 flags);
__u32 bpf_get_prandom_u32(void);
__u64 bpf_jiffies64(void);
__u64 bpf_ktime_get_ns(void);
void* bpf_ringbuf_reserve(void* map, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void* record, __u64 flags);

#endif
