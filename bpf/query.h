/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is known of the packet in hand: filled from left to right on the way from frame to reply. */
#ifndef NEARSIDE_QUERY_H
#define NEARSIDE_QUERY_H

#include "map_types.h"

/* An ECS option as it came, from its code to the last octet of ADDRESS: at most 4 + 4 + 16 octets. */
#define ECS_OPTION_OCTETS 24
#define ECS_OPTION_WORDS 3

struct query {
	/* packet.h. Offsets count from the start of the frame. */
	__u16 ip;  /* of the IP header */
	__u16 dns; /* of the DNS header */
	__u16 end; /* of what follows the DNS message: link-layer padding or nothing */
	__u8 is_ipv6;
	__u8 checksum_absent; /* IPv4 with UDP checksum zero: the sender computed none */
	__u32 header_sum;     /* ones' complement sum of pseudo header and UDP header, as the query has them */
	__u32 address_sum;    /* of the two addresses alone, for the reply */
	__u64 source;         /* the source address as a number: of IPv6 the first 64 bits */

	/* dns_message.h */
	__u64 name[QNAME_WORDS]; /* lower-cased, zero-padded; valid as far as name_octets reaches */
	struct name_key key;
	__u64 question_sum; /* of the question's octets as they came */
	__u16 name_octets;
	__be16 qtype;
	__be16 id;
	__be16 flags;
	__u8 has_opt;

	/* edns.h */
	__u8 dnssec_ok;
	__u8 ecs_octets; /* of the whole option; 0: none */
	__u8 ecs_scope;  /* what we return */
	__u16 udp_size;  /* the client's */
	__u8 stale;      /* dns.bpf.c: the lease has run out */
	__u8 pad2;
	__u64 opt_sum; /* of what follows the question, as it came */
	__u64 ecs[ECS_OPTION_WORDS];

	/* lookup.h */
	struct answer_ref ref;
	__u32 slot;          /* the alternative drawn */
	__u16 rest;          /* of the draw: above the image's share, its other alternative is meant */
	__u8 zone_octets;    /* of the enclosing zone's name at the end of the QNAME */
	__u8 route_is_known; /* the MAC addresses below are the reply's */
	__u8 source_mac[6];
	__u8 destination_mac[6];
};

#endif
