/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Passes every frame. A veth delivers what its peer sends by XDP_TX only when it has an XDP program of its own. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass_all(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
