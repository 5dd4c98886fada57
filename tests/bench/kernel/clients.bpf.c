// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The look-up of a client's site and nothing else, for a row drawn at random; and the drawing alone. */
#include "bpf/lookup.h"
#include "tests/bench/kernel/client_rows.h"

/* Set by userland before a run. */
__u32 row_count = 1;
/* What was found: so that the compiler leaves it in, and to see that it is right. */
__u64 found;

static __always_inline __u32 draw(void)
{
	return bpf_get_prandom_u32() % row_count;
}

SEC("xdp")
int draw_address(struct xdp_md *ctx __attribute__((unused)))
{
	found += bench_address4(draw()) + bench_address6(draw());
	return XDP_PASS;
}

SEC("xdp")
int look_up4(struct xdp_md *ctx __attribute__((unused)))
{
	__u32 zero = 0, row = draw();
	struct config *settings = bpf_map_lookup_elem(&config, &zero);

	if (!settings || site_of_ipv4(0, settings, bench_address4(row)) != (int)bench_site(row, BENCH_SITES))
		return XDP_ABORTED;
	found += bench_address6(draw());
	return XDP_PASS;
}

SEC("xdp")
int look_up6(struct xdp_md *ctx __attribute__((unused)))
{
	__u32 zero = 0, row = draw();
	struct config *settings = bpf_map_lookup_elem(&config, &zero);

	if (!settings || site_of_ipv6(0, settings, bench_address6(row)) != (int)bench_site(row, BENCH_SITES))
		return XDP_ABORTED;
	found += bench_address4(draw());
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
