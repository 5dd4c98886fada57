// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The generator's kernel side: `generate` writes the next prepared query into a frame of a live-frames test run,
 * `count_replies` stands on the sending veth, and `time_query` gives the program under test a fresh query in a plain
 * test run.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include "bpf/dns_message.h"
#include "bpf/platform.h"
#include "tests/bench/kernel/bench_types.h"

/* The queries in the order in which they are asked; read round and round. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEQUENCE_LENGTH);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct prepared_query);
} sequence SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SAMPLE_COUNT);
	__type(key, __u32);
	__type(value, struct reply_sample);
} samples SEC(".maps");

/* The program that `time_query` measures. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} under_test SEC(".maps");

/* Set by userland before a run; one core generates and receives, so plain additions count right. */
__u8 frame_template[FRAME_BUFFER] __attribute__((aligned(8)));
__u32 frame_octets;
/* The sum of the IP header without source address and checksum; 0: all queries are the template's client's. */
__u32 ip_sum;
__u32 next_query;
/* Frames from port 53; those of them that answer: QR=1, NOERROR, at least one record or a referral. By CPU: replies of a server's
 * sockets are sent, and so counted, on the server's core. */
struct reply_count replies[MAX_CPUS];

/*
 * Frames are recycled with the reply still in them, and with the length it had grown to: the content is written
 * anew and the length set through the helper, without which the kernel would keep the old one in the frame.
 */
static __always_inline int write_query(struct xdp_md *ctx)
{
	__u32 index = next_query & (SEQUENCE_LENGTH - 1), i;
	struct prepared_query *query = bpf_map_lookup_elem(&sequence, &index);
	__u64 *from = (__u64 *)frame_template;
	void *data, *data_end;
	__u64 *to;

	next_query = index + 1;
	if (!query)
		return -1;
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	if (bpf_xdp_adjust_tail(ctx, (int)frame_octets - (int)(data_end - data)))
		return -1;
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	if (data + FRAME_PLAIN > data_end)
		return -1;
	to = data;
	for (i = 0; i < FRAME_QNAME / 8 + 1; i++)
		to[i] = from[i];
	to = data + FRAME_QNAME;
	to[0] = query->qname[0];
	to[1] = query->qname[1];
	to[2] = query->qname[2];
	*(__u32 *)(data + FRAME_TAIL) = *(__u32 *)(frame_template + FRAME_TAIL);
	*(__be16 *)(data + FRAME_UDP_CHECK) = query->udp_check;
	*(__be16 *)(data + FRAME_DNS) = query->id;
	if (ip_sum) {
		*(__be32 *)(data + FRAME_SOURCE) = query->source;
		*(__u16 *)(data + FRAME_IP_CHECK) = ~sum_fold((__u64)ip_sum + query->source);
	}
	if (data + FRAME_EDNS <= data_end) {
		/* 23 octets; the last two words overlap. */
		*(__u64 *)(data + FRAME_PLAIN) = *(__u64 *)(frame_template + FRAME_PLAIN);
		*(__u64 *)(data + FRAME_PLAIN + 8) = *(__u64 *)(frame_template + FRAME_PLAIN + 8);
		*(__u64 *)(data + FRAME_EDNS - 8) = *(__u64 *)(frame_template + FRAME_EDNS - 8);
	}
	return 0;
}

/* Sends into the interface that the test run names as the frame's own. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	return write_query(ctx) ? XDP_DROP : XDP_TX;
}

SEC("xdp")
int time_query(struct xdp_md *ctx)
{
	if (write_query(ctx))
		return XDP_ABORTED;
	bpf_tail_call(ctx, &under_test, 0);
	return XDP_ABORTED;
}

static __always_inline void keep_sample(void *data, void *data_end, __u64 number)
{
	__u32 index = number / SAMPLE_INTERVAL % SAMPLE_COUNT, i;
	struct reply_sample *sample = bpf_map_lookup_elem(&samples, &index);
	__u8 *octets = data;

	if (!sample)
		return;
	sample->length = data_end - data;
	for (i = 0; i < SAMPLE_OCTETS; i++) {
		if ((void *)(octets + i + 1) > data_end)
			break;
		sample->octets[i] = octets[i];
	}
}

SEC("xdp")
int count_replies(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct udphdr *udp = (void *)(ip + 1);
	struct dns_header *dns = (void *)(udp + 1);
	struct reply_count *count;
	__u32 cpu = bpf_get_smp_processor_id();

	if ((void *)(dns + 1) > data_end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP ||
	    udp->source != bpf_htons(53))
		return XDP_DROP;
	count = &replies[cpu & (MAX_CPUS - 1)];
	count->returned++;
	if ((dns->flags & bpf_htons(DNS_QR | 0x000f)) == bpf_htons(DNS_QR) && (dns->ancount || dns->nscount)) {
		count->answered++;
		if (count->answered % SAMPLE_INTERVAL == 0)
			keep_sample(data, data_end, count->answered);
	}
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
