/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * All that crosses the boundary between kernel and userland: keys, values, limits, verdicts.
 * One definition for C (BPF and native) and C++. Fixed-width kernel types, no implicit padding.
 * Change LAYOUT_VERSION with any change of size or meaning; docs/map-contract.md follows.
 */
#ifndef NEARSIDE_MAP_TYPES_H
#define NEARSIDE_MAP_TYPES_H

#include <linux/types.h>

#ifdef __cplusplus
#define CHECK_SIZE(type, size) static_assert(sizeof(type) == (size), #type " has changed its size")
#else
#define CHECK_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has changed its size")
#endif

#define LAYOUT_VERSION 3

#define PIN_DIRECTORY "/sys/fs/bpf/nearside"

/* RFC 1035 2.3.4: a name has at most 255 octets on the wire, the root label included. */
#define MAX_QNAME 255
#define QNAME_WORDS 32
/* Names of up to this many octets live in the map of small entries: one cache line less to touch. */
#define SHORT_QNAME 48
#define SHORT_QNAME_WORDS 6

/* What we ever send over UDP (RFC 9715: fits in the smallest IPv6 path), and what a client without EDNS takes. */
#define MAX_UDP_REPLY 1232
#define MIN_UDP_REPLY 512

/* A query longer than this is left to userland: real ones have 30 to 120 octets. */
#define MAX_QUERY 512

/* The addresses that we answer on; they are compared one after the other. */
#define MAX_LISTEN 8

/* The columns of an answer row: the query types that have a place of their own, and all others. */
enum type_class {
	TYPE_CLASS_A = 0,
	TYPE_CLASS_AAAA = 1,
	TYPE_CLASS_HTTPS = 2,
	TYPE_CLASS_SOA = 3,
	TYPE_CLASS_NS = 4,
	TYPE_CLASS_TXT = 5,
	TYPE_CLASS_MX = 6,
	TYPE_CLASS_OTHER = 7,
	TYPE_CLASS_COUNT = 8,
};

/*
 * Why a packet left the program the way it did. The numbers are the keys of the `counters` map, and never reused. Each
 * packet counts under exactly one verdict, so
 *     received = answered + referred + passed + dropped.
 */
enum verdict {
	/* Answered: XDP_TX. */
	VERDICT_ANSWERED = 0,           /* a positive answer */
	VERDICT_ANSWERED_NODATA = 1,    /* NOERROR without answer, SOA in AUTHORITY (RFC 2308) */
	VERDICT_ANSWERED_TRUNCATED = 2, /* TC=1: the answer exceeds what the client allows */
	VERDICT_REFERRED = 3,           /* AA=0, NS of a zone cut in AUTHORITY, their addresses in ADDITIONAL */
	VERDICT_REFERRED_TRUNCATED = 4, /* TC=1: the referral exceeds what the client allows */

	/* Passed to the stack: XDP_PASS. Not for us. */
	VERDICT_PASS_NOT_IP = 8,        /* ARP, LLDP, a third VLAN tag, ... */
	VERDICT_PASS_NOT_UDP = 9,       /* TCP, ICMP, ... */
	VERDICT_PASS_NOT_LISTENED = 10, /* the destination is none of ours, or another port */
	/* Passed: the stack or userland knows better. */
	VERDICT_PASS_SHORT = 11,      /* a header is cut off by the end of the frame */
	VERDICT_PASS_IP_HEADER = 12,  /* IP version or header length makes no sense */
	VERDICT_PASS_IP_OPTIONS = 13, /* IPv4 options, IPv6 extension headers */
	VERDICT_PASS_FRAGMENT = 14,   /* the stack reassembles */
	VERDICT_PASS_IP_LENGTH = 15,  /* IP length disagrees with the frame or with UDP */
	VERDICT_PASS_IP_CHECKSUM = 16,
	VERDICT_PASS_UDP_LENGTH = 17,
	VERDICT_PASS_UDP_CHECKSUM = 18,     /* wrong, or finished later by the sender's NIC (a veth) */
	VERDICT_PASS_UDP6_NO_CHECKSUM = 19, /* RFC 8200 8.1: zero is not allowed over IPv6 */
	VERDICT_PASS_SOURCE_ADDRESS = 20,   /* ours, loopback, multicast, broadcast, unspecified */
	VERDICT_PASS_SOURCE_PORT = 21,      /* port 0, or the one that we listen on */
	VERDICT_PASS_LEASE = 22,            /* the agent has not renewed its lease: what we know may be old */
	VERDICT_PASS_LONG_QUERY = 23,       /* more than MAX_QUERY octets */
	VERDICT_PASS_OPCODE = 24,           /* not QUERY: NOTIFY, UPDATE, ... */
	VERDICT_PASS_COUNTS = 25,           /* QDCOUNT is not 1, or there is more than an OPT */
	VERDICT_PASS_QNAME = 26,            /* cut off, longer than 255 octets, or compressed */
	VERDICT_PASS_QCLASS = 27,           /* not IN */
	VERDICT_PASS_QTYPE = 28,            /* ANY, transfers and other meta types */
	VERDICT_PASS_EDNS = 29,             /* the OPT record or its options are malformed, or octets follow */
	VERDICT_PASS_EDNS_VERSION = 30,     /* BADVERS is userland's answer */
	VERDICT_PASS_NSID = 31,             /* RFC 5001 */
	VERDICT_PASS_ECS = 32,              /* malformed, or a family that we do not know (RFC 7871) */
	VERDICT_PASS_NAME = 33,             /* not an installed name */
	VERDICT_PASS_NO_IMAGE = 34,         /* an installed name, but this type is answered by userland */
	VERDICT_PASS_UNSETTLED = 35,        /* the tables changed under our eyes before anything was written */
	VERDICT_PASS_NO_ROOM = 36,          /* the frame can grow neither at its end nor at its head */
	VERDICT_PASS_NO_ROUTE = 37,         /* the reply would leave by another interface or by an unknown neighbour */
	VERDICT_PASS_CLIENT_SUBNET = 38,    /* answered by site, and ECS may tell more than the address (RFC 7871) */
	VERDICT_PASS_DIRECT = 39,           /* answered by site, asked on an address of the cut's own server */

	/* Dropped: XDP_DROP. */
	VERDICT_DROP_RESPONSE = 48,  /* QR=1: never answer an answer */
	VERDICT_DROP_UNSETTLED = 49, /* the image changed while it was copied; the client asks again */

	VERDICT_COUNT = 50,
	/* Internal: the packet is not yet decided. */
	VERDICT_UNDECIDED = 255,
};

/* Beside the equation: how often each branch was taken. Keys of `counters` from VERDICT_COUNT on. */
enum side_counter {
	COUNTER_GREW_TAIL = VERDICT_COUNT,
	COUNTER_GREW_HEAD = VERDICT_COUNT + 1,
	COUNTER_SHRANK = VERDICT_COUNT + 2,
	COUNTER_EDNS = VERDICT_COUNT + 3,
	COUNTER_ECS = VERDICT_COUNT + 4,
	COUNTER_FIB = VERDICT_COUNT + 5,
	COUNTER_EVENTS_LOST = VERDICT_COUNT + 6,
	COUNTER_STALE = VERDICT_COUNT + 7,
	COUNTER_COUNT = 64,
};

/* Map `config`, one element: what the agent tells the program. Mapped into the agent's memory. */
struct config {
	__u32 layout_version;  /* LAYOUT_VERSION of whoever made the maps */
	__u32 flags;           /* CONFIG_* */
	__u64 lease_deadline;  /* in jiffies of bpf_jiffies64(); what is past it, CONFIG_STALE_ALL says */
	__u64 hash_key[2];     /* key of the QNAME hash, random, chosen when the maps are made */
	__u32 sample_interval; /* one query in so many is sent to `events`; 0: none */
	__u32 listen_index;    /* which element of `listen` is in force */
	__u32 sites;           /* sites in each row of `site_answers`; fixed when the maps are made */
	__u32 agent_pid;       /* who renews the lease; for people */
	__u64 generation;      /* counts the changes published */
	__u32 buckets4;        /* of `rows4` and `rows6`; fixed when the maps are made */
	__u32 buckets6;
	__u64 lengths6; /* the prefix lengths of `rows6`, each plus one, in its octets, the longest in the lowest; 0: none */
};
CHECK_SIZE(struct config, 72);

#define CONFIG_ROUTE_LOOKUP 1u /* ask the routing table where the reply goes; else swap the MAC addresses */
/* Past a lease that was granted, answer on, from `stale_answers` where it has something; else pass everything up. */
#define CONFIG_STALE_ALL 2u
/* Some row found no room in `rows6`: only a match of the longest length can be relied on, else pass. */
#define CONFIG_ROWS6_MISSING 4u
/* All rows are being made anew: every query that is answered by site is passed. */
#define CONFIG_ROWS_LOADING 8u

/* Map `listen`, two elements: written aside, then switched to by config.listen_index. */
struct listen {
	__be16 port;
	__u8 count4;
	__u8 count6;
	__u8 direct4; /* bit i: the agent answers on address i as the server of the zone cuts themselves */
	__u8 direct6;
	__u8 pad[2];
	__be32 address4[MAX_LISTEN];
	__u8 address6[MAX_LISTEN][16];
};
CHECK_SIZE(struct listen, 8 + 4 * MAX_LISTEN + 16 * MAX_LISTEN);

/* Keys of `names_short` and `names_long`: the keyed hash of the lower-cased QNAME, wire format with the root label. */
struct name_key {
	__u64 hash[2];
};
CHECK_SIZE(struct name_key, 16);

/*
 * What a name is bound to, in one word so that it is read at once: the set, how many octets of the QNAME's end are
 * the enclosing zone's name, and 24 bits of the key's second hash word. An element of a hash map may be recycled for another name
 * while it is read; then the tag does not fit the key and the query is passed up.
 */
struct name_binding {
	__u32 set;
	__u32 tag_and_zone; /* upper 24 bits: tag, lower 8: length of the zone's name */
};
CHECK_SIZE(struct name_binding, 8);
#define BINDING_TAG_MASK 0xffffff00u

/* Values: the name itself, lower-cased, zero-padded, for the full compare. */
struct name_short {
	struct name_binding binding;
	__u64 name[SHORT_QNAME_WORDS];
};
CHECK_SIZE(struct name_short, 8 + 48);

struct name_long {
	struct name_binding binding;
	__u64 name[QNAME_WORDS];
};
CHECK_SIZE(struct name_long, 8 + 256);

/*
 * Map `answers`: index set * TYPE_CLASS_COUNT + type_class. Written and read as one aligned 64-bit word; all zero: no
 * image, userland answers.
 */
struct answer_ref {
	__u32 slot;        /* the first of `alternatives` consecutive slots */
	__u16 generation;  /* equals that of the images */
	__u8 alternatives; /* how many prepared answers to choose from; 0: none */
	__u8 flags;        /* ANSWER_* */
};
CHECK_SIZE(struct answer_ref, 8);

#define ANSWER_LARGE 1u     /* the slots are those of `slots_large` */
#define ANSWER_BY_CLIENT 2u /* drawn by client_hash(), not at random; the client's prefix is the scope */

/*
 * `slot` is a base: the word that counts is `site_answers` [base + site], of the same form but never with this flag. The
 * site is that of the source address, and ECS, which must not steer a referral (RFC 7871 7.4), is echoed with scope 0.
 */
#define ANSWER_BY_SITE 4u
/* Beside ANSWER_BY_SITE: a query with ECS of SOURCE PREFIX-LENGTH above 0 is passed. */
#define ANSWER_ECS_TO_AGENT 8u

/* Map `stale_answers`: index set * STALE_COLUMNS + type_class, for TYPE_CLASS_A and TYPE_CLASS_AAAA; words as above. */
#define STALE_COLUMNS 2

/* Maps `slots_small` and `slots_large`: what follows the question in a reply, ready to copy. Immutable while published. */
#define IMAGE_HEADER 24
#define SMALL_IMAGE_OCTETS (128 - IMAGE_HEADER)
#define LARGE_IMAGE_OCTETS (1280 - IMAGE_HEADER)

#define IMAGE_HEADER_FIELDS                                                                                           \
	__u32 generation; /* 0 while it is being written; else the ref's, in the low 16 bits */                       \
	__u16 length;     /* octets that follow the question, without OPT */                                          \
	__u16 checksum;   /* ones' complement sum of these, little-endian, folded; the pointer field as zero */       \
	__be16 ancount;                                                                                               \
	__be16 nscount;                                                                                               \
	__be16 arcount;     /* without OPT */                                                                         \
	__u16 zone_pointer; /* offset of a compression pointer to the zone inside the QNAME; NO_ZONE_POINTER: none */ \
	__u8 verdict;       /* VERDICT_ANSWERED, VERDICT_ANSWERED_NODATA or VERDICT_REFERRED */                       \
	__u8 flags;         /* IMAGE_* */                                                                             \
	__u16 share;        /* of the draws that fall here, share + 1 in 65,536 stay; 0xffff: all */                  \
	__u8 other;         /* the others go to this alternative, counted from the ref's slot */                      \
	__u8 pad[3];

#define IMAGE_AUTHORITATIVE 1u /* AA=1 */
#define IMAGE_TRUNCATED 2u     /* stands for an answer too large for any slot: always TC=1 */
#define NO_ZONE_POINTER 0xffff

struct image_small {
	IMAGE_HEADER_FIELDS
	__u8 octets[SMALL_IMAGE_OCTETS];
};
CHECK_SIZE(struct image_small, 128);

struct image_large {
	IMAGE_HEADER_FIELDS
	__u8 octets[LARGE_IMAGE_OCTETS];
};
CHECK_SIZE(struct image_large, 1280);

/*
 * Where a client's site is found (client_lookup.h). The word of a row: the site plus one in the lower 26 bits (0: no row,
 * all ones: unknown here, pass), the prefix length in the five above.
 */
#define ROW_SITE 0x03ffffffu
#define ROW_PASS ROW_SITE
#define ROW_LENGTH_SHIFT 26
#define ROW_LENGTH_MASK 31u /* 32 is written as 0 */
/* Site numbers are below this. */
#define MAX_SITES (ROW_PASS - 1)

/*
 * Map `sites4`: by the first 24 bits of the address, the word of the longest row of up to /24 that covers it; by sixteens,
 * as the kernel gives each element of an array eight octets at least.
 */
#define SITES4_COUNT (1u << 24)
#define BLOCK4_SITES 16
struct block4 {
	__u32 words[BLOCK4_SITES];
};
CHECK_SIZE(struct block4, 64);
#define SITES4_LONGER 0x80000000u /* there are longer rows inside: ask `rows4` first */

/* Map `rows4`: addresses covered by a row of /25 to /32. Each entry is one aligned word; each address has two buckets. */
struct row4 {
	__u32 address; /* as a number: 192.0.2.1 is 0xc0000201 */
	__u32 word;
};
#define BUCKET4_ROWS 8
struct bucket4 {
	struct row4 rows[BUCKET4_ROWS];
};
CHECK_SIZE(struct bucket4, 64);

/*
 * Map `rows6`: prefixes of up to /64. An entry appears and goes by one store of its second word; an entry that went rests
 * for a second before it is another row's. Each prefix has two buckets.
 */
struct row6 {
	__u64 prefix; /* the first 64 bits as a number, zero behind the prefix */
	__u32 site;   /* plus one; 0: no row */
	__u32 tag_and_length;
};
#define BUCKET6_ROWS 4
struct bucket6 {
	struct row6 rows[BUCKET6_ROWS];
};
CHECK_SIZE(struct bucket6, 64);
#define MAX_LENGTH6 64
#define MAX_LENGTHS6 8

/*
 * Maps `mapping4` / `mapping6`: the mapping as rows of resolver prefix and edge, for people; the program reads the tables
 * above, which are made of the same rows.
 */
struct mapping_key4 {
	__u32 prefix_length;
	__u8 resolver[4];
};
CHECK_SIZE(struct mapping_key4, 8);

struct mapping_key6 {
	__u32 prefix_length;
	__u8 resolver[16];
};
CHECK_SIZE(struct mapping_key6, 20);

struct mapping_value {
	__u32 site;
	__u8 edge4[4]; /* the addresses of the site's first edge; zero: it has none of the family */
	__u8 edge6[16];
};
CHECK_SIZE(struct mapping_value, 24);

/* Records of the ring buffer `events`: a sample of the queries for our addresses. */
struct query_event {
	__u64 time_ns;   /* CLOCK_BOOTTIME's brother bpf_ktime_get_ns: monotonic */
	__u8 client[16]; /* IPv4 as ::ffff:a.b.c.d */
	__be16 client_port;
	__be16 qtype;
	__u8 verdict;
	__u8 qname_length; /* 0 where the name could not be read */
	__u16 pad;
	__u8 qname[256]; /* wire format, lower-cased */
};
CHECK_SIZE(struct query_event, 288);

/* Map `clock`, one element. */
struct clock_reading {
	__u64 jiffies;     /* bpf_jiffies64() */
	__u64 nanoseconds; /* bpf_ktime_get_ns() */
};
CHECK_SIZE(struct clock_reading, 16);

#endif
