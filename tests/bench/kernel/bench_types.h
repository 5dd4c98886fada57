/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the generator's kernel programs and its userland share: the frame's layout, the prepared queries, the samples.
 */
#ifndef NEARSIDE_BENCH_TYPES_H
#define NEARSIDE_BENCH_TYPES_H

#include "bpf/map_types.h"

/* Ethernet 14, IPv4 20, UDP 8, DNS header 12, then a QNAME of always 24 octets and the rest. */
#define FRAME_IP_CHECK 24
#define FRAME_SOURCE 26
#define FRAME_UDP_CHECK 40
#define FRAME_DNS 42
#define FRAME_QNAME 54
#define FRAME_QNAME_OCTETS 24
#define FRAME_TAIL (FRAME_QNAME + FRAME_QNAME_OCTETS)
#define FRAME_PLAIN (FRAME_TAIL + 4)
/* An OPT record of 11 octets with a COOKIE option of 12. */
#define FRAME_EDNS (FRAME_PLAIN + 23)
#define FRAME_BUFFER 112

/* All that differs from one query to the next: two to a cache line, so that reading them costs the generator little. */
struct prepared_query {
	__u64 qname[FRAME_QNAME_OCTETS / 8];
	__be16 udp_check;
	__be16 id;
	__be32 source;
};
CHECK_SIZE(struct prepared_query, 32);

#define SEQUENCE_LENGTH (1u << 20)

/* One reply in so many is kept to be looked at. */
#define SAMPLE_INTERVAL 4093
#define SAMPLE_COUNT 64
#define SAMPLE_OCTETS 504

struct reply_sample {
	__u32 length;
	__u32 pad;
	__u8 octets[SAMPLE_OCTETS];
};
CHECK_SIZE(struct reply_sample, 512);

#define MAX_CPUS 64

/* One for each CPU, on a cache line of its own. */
struct reply_count {
	__u64 returned;
	__u64 answered;
	__u64 pad[6];
};
CHECK_SIZE(struct reply_count, 64);

#endif
