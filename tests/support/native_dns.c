// SPDX-License-Identifier: BSD-2-Clause
// The program's own text, compiled here, and what stands in for the kernel around it.
#define NEARSIDE_NATIVE
#include "bpf/dns.bpf.c"
// After the program, which gives another name to what the C library calls listen.
#include <string.h>

#include "tests/support/native_dns.h"

static struct native_tables* tables;
static struct native_frame* frame;
static struct query the_only_query;

static void* element(void* array, __u32 index, __u32 count, size_t size) {
  return index < count ? (char*)array + index * size : NULL;
}

void* bpf_map_lookup_elem(const void* map, const void* key) {
  __u32 index;

  if (map == &names_short) return tables->find_short(tables->owner, key);
  if (map == &names_long) return tables->find_long(tables->owner, key);
  memcpy(&index, key, sizeof(index));
  if (map == &scratch) return index == 0 ? &the_only_query : NULL;
  if (map == &config) return index == 0 ? tables->config : NULL;
  if (map == &nearside_listen_map) return element(tables->listens, index, 2, sizeof(struct nearside_listen_map));
  if (map == &answers) return element(tables->answers, index, tables->answer_count, sizeof(struct answer_ref));
  if (map == &stale_answers)
    return element(tables->stale_answers, index, tables->stale_count, sizeof(struct answer_ref));
  if (map == &site_answers)
    return element(tables->site_answers, index, tables->site_answer_count, sizeof(struct answer_ref));
  if (map == &sites4) return element(tables->sites4, index, tables->sites4_count, sizeof(struct block4));
  if (map == &rows4) return element(tables->rows4, index, tables->config->buckets4, sizeof(struct bucket4));
  if (map == &rows6) return element(tables->rows6, index, tables->config->buckets6, sizeof(struct bucket6));
  if (map == &slots_small) return element(tables->slots_small, index, tables->small_count, sizeof(struct image_small));
  if (map == &slots_large) return element(tables->slots_large, index, tables->large_count, sizeof(struct image_large));
  if (map == &counters) return element(tables->counters, index, COUNTER_COUNT, sizeof(__u64));
  return NULL;
}

static void set_pointers(struct xdp_md* ctx) {
  ctx->data = (unsigned long)(frame->memory + frame->start);
  ctx->data_end = ctx->data + frame->length;
}

long bpf_xdp_adjust_head(struct xdp_md* ctx, int delta) {
  if (delta < 0 ? (size_t)-delta > frame->head_room : (size_t)delta >= frame->length) return -1;
  frame->start += delta;
  frame->length -= delta;
  frame->head_room += delta;
  set_pointers(ctx);
  return 0;
}

long bpf_xdp_adjust_tail(struct xdp_md* ctx, int delta) {
  if (tables->while_resizing) tables->while_resizing(tables->owner);
  if (delta < 0 ? (size_t)-delta >= frame->length : (size_t)delta > frame->tail_room) return -1;
  /* Like the kernel, which clears what it adds. */
  if (delta > 0) memset(frame->memory + frame->start + frame->length, 0, delta);
  frame->length += delta;
  frame->tail_room -= delta;
  set_pointers(ctx);
  return 0;
}

long bpf_fib_lookup(void* ctx, struct bpf_fib_lookup* params, int length, __u32 flags) {
  (void)ctx;
  (void)params;
  (void)length;
  (void)flags;
  return BPF_FIB_LKUP_RET_NOT_FWDED;
}

__u32 bpf_get_prandom_u32(void) { return tables->random; }

__u64 bpf_jiffies64(void) { return tables->jiffies; }

__u64 bpf_ktime_get_ns(void) { return tables->jiffies * 1000000; }

void* bpf_ringbuf_reserve(void* map, __u64 size, __u64 flags) {
  (void)map;
  (void)flags;
  return size == sizeof(tables->last_event) ? &tables->last_event : NULL;
}

void bpf_ringbuf_submit(void* record, __u64 flags) {
  (void)record;
  (void)flags;
  tables->event_count++;
}

int native_run(struct native_tables* in, struct native_frame* packet) {
  struct xdp_md ctx = {0};

  tables = in;
  frame = packet;
  set_pointers(&ctx);
  return nearside_dns(&ctx);
}
