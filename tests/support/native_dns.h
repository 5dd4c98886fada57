/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF program as a function of this process: a frame and tables in, what XDP would do and the changed frame out. */
#ifndef NEARSIDE_TESTS_NATIVE_DNS_H
#define NEARSIDE_TESTS_NATIVE_DNS_H

#include <stddef.h>

#include "bpf/map_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the program reads, owned by the caller, and what it writes. */
struct native_tables {
  struct config* config;
  struct listen* listens; /* two */
  struct answer_ref* answers;
  __u32 answer_count;
  struct answer_ref* stale_answers;
  __u32 stale_count;
  struct image_small* slots_small;
  __u32 small_count;
  struct image_large* slots_large;
  __u32 large_count;
  /* What is answered by site. */
  struct answer_ref* site_answers;
  __u32 site_answer_count;
  struct block4* sites4;
  __u32 sites4_count;
  struct bucket4* rows4;
  struct bucket6* rows6;
  /* The row of a name, or NULL; valid until the next call. */
  struct name_short* (*find_short)(void* owner, const struct name_key* key);
  struct name_long* (*find_long)(void* owner, const struct name_key* key);
  void* owner;
  __u64 jiffies;
  __u32 random; /* what bpf_get_prandom_u32() says */
  __u64 counters[COUNTER_COUNT];
  struct query_event last_event;
  unsigned int event_count;
  /* Called when the frame is resized: after the image was chosen, before it is copied. NULL: nothing happens. */
  void (*while_resizing)(void* owner);
};

/* A frame with room before and behind it. The caller owns the memory at `memory`. */
struct native_frame {
  unsigned char* memory;
  size_t memory_size;
  size_t start; /* of the frame in the memory */
  size_t length;
  size_t head_room; /* what bpf_xdp_adjust_head() allows; at most `start` */
  size_t tail_room; /* what bpf_xdp_adjust_tail() allows */
};

/* Runs the program once; one thread at a time. Returns XDP_TX, XDP_PASS or XDP_DROP. */
int native_run(struct native_tables* tables, struct native_frame* frame);

#ifdef __cplusplus
}
#endif

#endif
